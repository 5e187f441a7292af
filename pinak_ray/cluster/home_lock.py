"""One `up` or `down` of a home at a time: a lock that its process holds, and that ends with it."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["home_lock"]

_PATIENCE_S = 300.0
_POLL_S = 0.1


@contextmanager
def home_lock(home: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the home against other starts and stops, after waiting for the one under way.

    Raises Unavailable, which names the other process, when it takes too long.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SetupError(
            f"cannot write to {home} ({error.strerror}); set PINAK_HOME to a directory of yours"
        ) from error
    deadline = time.monotonic() + _PATIENCE_S
    told = False
    try:
        while not _taken(handle):
            other = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            if time.monotonic() > deadline:
                raise Unavailable(f"another start or stop of {home} is under way (pid {other})")
            if not told:
                report(f"waiting for another start or stop (pid {other})")
                told = True
            time.sleep(_POLL_S)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
