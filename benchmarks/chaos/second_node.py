"""A second Ray node on this machine, on loopback: a raylet with workers of its own, to be killed.

`ray start --address` refuses where Ray is held to loopback (RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0:
"multi-node clusters are not supported"), so this takes the same step as `ray.cluster_utils`: the
class below that command. Private names of Ray 2.60, the minor that the package pins.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Process, descendants, kill
from pinak_ray.client.over_ray.session import LOOPBACK, LOOPBACK_ENVIRONMENT
from pinak_ray.client.over_ray.tokens import ray_token_environment
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.records.errors import Unavailable

__all__ = ["second_node"]

_JOINED = b"joined"
_START_TIMEOUT_S = 60.0
_POLL_S = 0.05
_OBJECT_STORE_BYTES = 150 << 20


@contextmanager
def second_node(home: Path) -> Iterator[int]:
    """Add a node to the stack's cluster and give the pid above its raylet; at the end it is dead.

    Raises Unavailable with the end of its log when it does not join.
    """
    log = home / "second-node.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, RayNode(home).address()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **LOOPBACK_ENVIRONMENT, **ray_token_environment(home)},
        )
    try:
        _await_joined(process, log)
        yield process.pid
    finally:
        kill([*descendants(process.pid), Process(process.pid, os.getpid(), "")])
        process.wait(timeout=_START_TIMEOUT_S)


def _await_joined(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if _JOINED in log.read_bytes():
            return
        time.sleep(_POLL_S)
    raise Unavailable(f"no second node: {log.read_text(errors='replace')[-2000:]}")


def _join(address: str) -> None:
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    parameters = RayParams(
        gcs_address=address,
        node_ip_address=LOOPBACK,
        num_cpus=1,
        object_store_memory=_OBJECT_STORE_BYTES,
        min_worker_port=0,
        max_worker_port=0,
        node_manager_port=0,
        dashboard_agent_listen_port=None,
    )
    Node(parameters, head=False, shutdown_at_exit=True, spawn_reaper=True)
    print(_JOINED.decode(), flush=True)
    signal.pause()


if __name__ == "__main__":
    _join(sys.argv[1])
