"""Wait in the foreground: for a signal to stop, or for a part that is lost for good."""

import signal
import threading
import time

import ray

from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.errors import PinakError, Unavailable

__all__ = ["until_stopped"]

_LOOK_EVERY_S = 2.0
# Ray and the Supervisor bring back what died within seconds; a model may take a minute to load.
_LOST_AFTER_S = 120.0


def until_stopped(settings: Settings) -> None:
    """Return on SIGTERM or SIGINT; raises Unavailable where a part stays away for minutes.

    For the main thread alone, which gets the signals; restores their handlers.
    """
    stopped = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        well_at = time.monotonic()
        while not stopped.wait(_LOOK_EVERY_S):
            trouble = _trouble(settings)
            if not trouble:
                well_at = time.monotonic()
            elif time.monotonic() - well_at > _LOST_AFTER_S:
                raise Unavailable(f"the stack is lost: {trouble}")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _trouble(settings: Settings) -> str:
    try:
        said = health(settings)
    except (PinakError, ray.exceptions.RayError, ValueError, OSError) as error:
        return str(error) or repr(error)
    return ", ".join(f"{name}: {each['error']}" for name, each in said.items() if "error" in each)
