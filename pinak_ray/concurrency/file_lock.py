"""A lock between processes, held on a file; the kernel frees it when its holder dies."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = ["hold_lock"]

POLL_S = 0.1  # flock has no timeout of its own


@contextmanager
def hold_lock(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock for the block; raise `SetupError` when another process keeps it too long."""
    deadline = time.monotonic() + timeout_s
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise SetupError(
                        f"another process has held {path} for {timeout_s:.0f} s"
                    ) from error
                time.sleep(POLL_S)
        yield  # closing the file frees the lock
