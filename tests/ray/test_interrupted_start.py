"""A start that is interrupted when nearly all runs leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.process import own_processes
from pinak_ray.cluster.ray_node import RayNode

# In a process of its own, which is in no Ray cluster yet.
_START = """
import sys
from pathlib import Path
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import up

def progress(step):
    print(step, file=sys.stderr)
    if step == "asking the gateway":
        raise KeyboardInterrupt

up(
    Settings(
        home=Path(sys.argv[1]), http_port=0, hosts=1, gateways=1, durable=False, embedder="hashing"
    ),
    progress=progress,
)
"""


def test_an_interrupted_start_ends_all_that_it_started(reachable_dir: Path) -> None:
    """Ctrl-C before the gateway is asked: no Ray, no HAProxy, no PostgreSQL; but Ray's logs."""
    home = reachable_dir / "interrupted"
    done = subprocess.run(
        [sys.executable, "-c", _START, str(home)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    node = RayNode(home)

    assert done.stderr.rstrip().endswith("KeyboardInterrupt"), done.stderr
    assert "asking the gateway" in done.stderr
    assert node.pid() is None
    assert node.end_haproxy() is False
    assert EmbeddedPostgres(home / "postgres").postmaster_pid is None
    left = [each.arguments for each in own_processes(lambda each: each.stands_in(home))]
    assert left == []
    assert list((home / "ray-logs").glob("gcs_server*"))
