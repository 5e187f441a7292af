"""Join a Ray cluster with its token, and on loopback where it runs there; and never another one.

The private names below are Ray 2.60's (the package pins that minor): Ray reads its token mode
and its "may this machine be part of a cluster?" once, at import, which user code has usually done
before it calls us.
"""

import os
from collections.abc import Mapping

import ray
from ray._private import ray_constants
from ray._private.worker import global_worker
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from pinak_ray.client.over_ray.probe import probe_ray
from pinak_ray.records.errors import InvalidInput, NotRunning
from pinak_ray.records.topology import RAY_NAMESPACE

__all__ = ["LOOPBACK", "LOOPBACK_ENVIRONMENT", "join_ray", "ray_session"]

LOOPBACK = "127.0.0.1"

# Left alone, Ray replaces 127.0.0.1 by the machine's outer address and listens on every interface.
LOOPBACK_ENVIRONMENT = {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}

_forked = False


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 - what a process is cannot be handed to it
    _forked = _forked or ray.is_initialized()


os.register_at_fork(after_in_child=_note_fork)


def ray_session() -> object:
    """Return what stands for this process's session with Ray: actor handles hold for one only.

    Raises NotRunning where it is in none: at the first call Ray would start a cluster of its own.
    """
    if _forked:
        raise NotRunning(
            "this process was forked from one that had joined Ray, which does not survive a fork: "
            "start processes with `spawn`, or connect(url=..., token=...) before the fork"
        )
    if not ray.is_initialized():
        raise NotRunning(
            "this process has not joined the stack: call pinak_ray.connect() in it first, or make "
            "the handle by connect(url=..., token=...)"
        )
    return global_worker.node


def join_ray(address: str, environment: Mapping[str, str], *, show_logs: bool = False) -> None:
    """Connect this process to the cluster; a no-op when it is connected already.

    `environment` carries the token's mode and place; `show_logs` prints what this driver's own
    tasks print, as Ray does by default. Raises NotRunning when nobody answers.
    """
    if ray.is_initialized():
        ray_session()
        return
    if address == "local":
        raise InvalidInput("`local` would start a Ray of its own; run `pinak-ray up` instead")
    os.environ.update(environment)
    if environment:
        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()
    if address.startswith(LOOPBACK):
        os.environ.update(LOOPBACK_ENVIRONMENT)
        ray_constants.ENABLE_RAY_CLUSTER = False
    probe_ray(address, environment)
    try:
        ray.init(
            address=address,
            namespace=RAY_NAMESPACE,
            log_to_driver=show_logs,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError) as error:
        raise NotRunning(f"no Ray cluster answers at {address}; run `pinak-ray up`") from error
