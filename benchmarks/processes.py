"""The processes of one stack, and the memory that each part of it holds (Linux)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

__all__ = ["memory_by_part"]

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

_KIB = re.compile(r"^(RssAnon|RssFile):\s+(\d+) kB", re.MULTILINE)


def memory_by_part(roots: Iterable[int]) -> dict[str, float]:
    """Return the resident bytes of these processes and all below them, summed by part.

    Shared memory is left out: PostgreSQL's buffers and Ray's object store would count once for each
    process that has touched them.
    """
    sizes: dict[str, float] = defaultdict(float)
    for pid in _family(roots):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:  # it has ended meanwhile
            continue
        sizes[_part(command)] += 1024 * sum(int(kib) for _, kib in _KIB.findall(status))
    return dict(sizes)


def _part(command: str) -> str:
    program = command.partition("\0")[0]
    return next((part for mark, part in _PARTS if mark in program), _OTHER)


def _family(roots: Iterable[int]) -> set[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = (
                stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            )
        except OSError:
            continue
        children[int(parent)].append(int(stat.parent.name))
    found: set[int] = set()
    following = list(roots)
    while following:
        pid = following.pop()
        if pid not in found:
            found.add(pid)
            following += children[pid]
    return found
