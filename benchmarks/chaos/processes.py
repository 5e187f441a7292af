"""The processes of one stack, found by descent and by title: no part is asked for its own pid."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Process", "descendants", "kill"]

_PROC = Path("/proc")
_DEAD = frozenset("ZX")


class Process(NamedTuple):
    """A living process; Ray and PostgreSQL both write what it is into its title."""

    pid: int
    parent: int
    title: str


def descendants(root: int, *titles: str) -> list[Process]:
    """Return the living processes below `root` whose titles begin with one of `titles`, or all."""
    below, found = {root}, []
    living = _living()
    while more := [one for one in living if one.parent in below and one.pid not in below]:
        below.update(one.pid for one in more)
        found.extend(more)
    return [one for one in found if not titles or one.title.startswith(titles)]


def kill(victims: Sequence[Process]) -> None:
    """Send SIGKILL to each, in the order given; one that is gone already does not matter."""
    for victim in victims:
        try:
            os.kill(victim.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _living() -> list[Process]:
    living = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent, *_ = (
                (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            )
            title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state not in _DEAD:
            living.append(Process(int(entry.name), int(parent), title.strip()))
    return living
