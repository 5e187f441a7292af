"""The processes of one stack, found by descent and by title: no part is asked for its own pid."""

import os
import re
import signal
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Process", "descendants", "kill", "memory_by_part", "processor_by_part"]

_PROC = Path("/proc")
_DEAD = frozenset("ZX")

# By the title that Ray gives a worker (`ray::Writer.write`), or by the program.
_PARTS = (
    ("ray::ServeReplica", "gateway"),
    ("ray::AgentHost", "host"),
    ("ray::Writer", "writer"),
    ("ray::Indexer", "indexer"),
    ("ray::Recaller", "recaller"),
    ("ray::Curator", "curator"),
    ("ray::Supervisor", "supervisor"),
    ("ray::run_", "load"),
    ("ray::ServeController", "serve"),
    ("ray::ProxyActor", "serve"),
    ("ray::HAProxyManager", "serve"),
    ("gcs_server", "gcs"),
    ("raylet/raylet", "raylet"),
    ("postgres", "postgres"),
    ("haproxy", "haproxy"),
)
_OTHER = "ray"

_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = re.compile(r"^(RssAnon|RssFile):\s+(\d+) kB", re.MULTILINE)


class Process(NamedTuple):
    """A living process; Ray and PostgreSQL both write what it is into its title."""

    pid: int
    parent: int
    title: str


def descendants(root: int, *titles: str) -> list[Process]:
    """Return the living processes below `root` whose titles begin with one of `titles`, or all."""
    found = _below(_living(), {root})
    return [one for one in found if not titles or one.title.startswith(titles)]


def memory_by_part(roots: Iterable[int]) -> dict[str, float]:
    """Return the resident bytes of these processes and all below them, summed by part.

    Shared memory is left out: PostgreSQL's buffers and Ray's object store would count once for each
    process that has touched them.
    """
    living, tops = _living(), set(roots)
    sizes: dict[str, float] = defaultdict(float)
    for one in [*(one for one in living if one.pid in tops), *_below(living, tops)]:
        try:
            status = (_PROC / str(one.pid) / "status").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        sizes[_part(one)] += 1024 * sum(int(kib) for _, kib in _KIB.findall(status))
    return dict(sizes)


def processor_by_part(roots: Iterable[int]) -> dict[str, float]:
    """Return the seconds of processor that these and all below them have used, by part.

    What has ended meanwhile is not in it.
    """
    living, tops = _living(), set(roots)
    seconds: dict[str, float] = defaultdict(float)
    for one in [*(one for one in living if one.pid in tops), *_below(living, tops)]:
        try:
            stat = (_PROC / str(one.pid) / "stat").read_text(errors="replace")
        except OSError:
            continue
        user, system = stat.rpartition(")")[2].split()[11:13]
        seconds[_part(one)] += (int(user) + int(system)) / _TICKS
    return dict(seconds)


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


def _below(living: Sequence[Process], roots: set[int]) -> list[Process]:
    below, found = set(roots), []
    while more := [one for one in living if one.parent in below and one.pid not in below]:
        below.update(one.pid for one in more)
        found.extend(more)
    return found


def _part(process: Process) -> str:
    program = process.title.partition(" ")[0]
    return next((part for mark, part in _PARTS if mark in program), _OTHER)
