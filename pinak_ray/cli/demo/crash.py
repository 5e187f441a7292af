"""The crash: SIGKILL to one host's process, and how long until the host answers again."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import ray

from pinak_ray.records.errors import Unavailable
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR

__all__ = ["Crash", "kill_host"]

_POLL_S = 0.05
_ASK_TIMEOUT_S = 20.0
_BACK_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Crash:
    """One host's end and return."""

    host: str
    killed_pid: int
    new_pid: int
    recovery_s: float


def kill_host(host: str) -> Crash:
    """Kill the host's process and return once a new one answers, its database included."""
    killed_pid = _pid(host)
    if killed_pid is None:
        raise Unavailable(f"{host} does not answer, so it cannot be killed; see `pinak-ray doctor`")
    os.kill(killed_pid, signal.SIGKILL)
    began = time.monotonic()
    while time.monotonic() - began < _BACK_TIMEOUT_S:
        pid = _pid(host)
        if pid is not None and pid != killed_pid:
            return Crash(host, killed_pid, pid, time.monotonic() - began)
        time.sleep(_POLL_S)
    raise Unavailable(f"{host} did not come back within {_BACK_TIMEOUT_S:.0f} s")


def _pid(host: str) -> int | None:
    """Return the pid that the supervisor hears from the host; None while it hears nothing."""
    supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    health = ray.get(supervisor.health.remote(), timeout=_ASK_TIMEOUT_S)
    pid: int | None = health.get(host, {}).get("pid")
    return pid
