"""Where a test's servers keep their files."""

import os
import shutil
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")
# A whole session needs less than two of them.
_ROOM_BYTES = 4 << 30


def reachable_place() -> Path:
    """Make a directory that the server's own user can enter; pytest's are closed to it.

    In memory, where there is room: cloning a template database is the making of a thousand files,
    which takes 30 ms there and 100 to 400 on a disk that others use too (PostgreSQL 18, no fsync).
    """
    place = Path(tempfile.mkdtemp(prefix="pinak-test-", dir=_IN_MEMORY if _has_room() else None))
    place.chmod(0o711)
    return place


def _has_room() -> bool:
    usable = _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK | os.X_OK)
    return usable and shutil.disk_usage(_IN_MEMORY).free > _ROOM_BYTES
