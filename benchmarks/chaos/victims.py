"""Who is killed, how, and whose operations tell that it is back."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.chaos.ledger import Kind, Wire
from benchmarks.chaos.second_node import second_node
from benchmarks.processes import Process, descendants, kill
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning, Unavailable

__all__ = ["RARE", "VICTIMS", "Victim", "census"]

_HOST = "ray::AgentHost"
_WRITER = "ray::Writer"
_INDEXER = "ray::Indexer"
_SUPERVISOR = "ray::Supervisor"
_GATEWAY = "ray::ServeReplica:gateway"
_PARTS = (_HOST, _WRITER, _INDEXER, _SUPERVISOR, _GATEWAY, "ray::Recaller", "ray::Curator")
_BACKEND = "postgres: pinak pinak [local]"

_PAUSED_S = 2.0
# The Supervisor gives a host's shards away after 15 s of silence; then the sleeper wakes.
_PRESUMED_DEAD_S = 25.0
_MOVE_ATTEMPTS = 20
_BACK_TIMEOUT_S = 60.0
_POLL_S = 0.05

_STATE = (Kind.NOTE, Kind.SCRATCHPAD, Kind.BOARD)


@dataclass(frozen=True, slots=True)
class Victim:
    """`strike` blocks, and returns the moment (monotonic) from which recovery is counted."""

    strike: Callable[[Settings], float]
    kinds: Sequence[Kind]
    """It is back when every agent has done one of each that it began after the strike."""
    goal_s: float | None = None
    wires: Sequence[Wire] = tuple(Wire)


def census(settings: Settings) -> Counter[str]:
    """Count the living processes of each part."""
    head = RayNode(settings.home).pid()
    return _count(descendants(head, *_PARTS)) if head is not None else Counter()


def _count(processes: Sequence[Process]) -> Counter[str]:
    return Counter(next(p for p in _PARTS if one.title.startswith(p)) for one in processes)


def _head(settings: Settings) -> int:
    pid = RayNode(settings.home).pid()
    if pid is None:
        raise NotRunning(f"no Ray runs in {settings.home}")
    return pid


def _one_of(root: int, title: str) -> Process:
    """Return one such process; the round before may have taken the last, whose heir is starting."""
    deadline = time.monotonic() + _BACK_TIMEOUT_S
    while not (candidates := descendants(root, title)):
        if time.monotonic() > deadline:
            raise Unavailable(f"no process below {root} is a {title!r}")
        time.sleep(_POLL_S)
    return random.choice(candidates)


def _killed(victims: Sequence[Process]) -> float:
    kill(victims)
    return time.monotonic()


def _part(title: str) -> Callable[[Settings], float]:
    return lambda settings: _killed([_one_of(_head(settings), title)])


def _pause_host(seconds: float) -> Callable[[Settings], float]:
    """Stop a host for a while, as a machine does that swaps or is being moved, and resume it."""

    def pause(settings: Settings) -> float:
        host = _one_of(_head(settings), _HOST)
        os.kill(host.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):  # it may have been replaced and killed
                os.kill(host.pid, signal.SIGCONT)
        return time.monotonic()

    return pause


def _postmaster(settings: Settings) -> Process:
    pid = EmbeddedPostgres(settings.home / "postgres").postmaster_pid
    if pid is None:
        raise NotRunning("PostgreSQL does not run")
    return Process(pid, 1, "postmaster")


def _kill_postgres(settings: Settings) -> float:
    """The postmaster and every child, as a power cut would."""
    postmaster = _postmaster(settings)
    return _killed([postmaster, *descendants(postmaster.pid)])


def _kill_postmaster(settings: Settings) -> float:
    """The postmaster alone: its children finish what they do, and then notice."""
    return _killed([_postmaster(settings)])


def _kill_backend(settings: Settings) -> float:
    """One backend: PostgreSQL ends all others too, and recovers from its log."""
    return _killed([_one_of(_postmaster(settings).pid, _BACKEND)])


def _kill_node(settings: Settings) -> float:
    """A second node joins, a host and a writer move there (by dying), and it dies with them."""
    with second_node(settings.home) as second:
        for title in (_HOST, _WRITER):
            _move(settings, title, second)
        return _killed([Process(second, os.getpid(), ""), *descendants(second)])


def _move(settings: Settings, title: str, second: int) -> None:
    """Kill processes of this title until Ray restarts one on the second node."""
    head = _head(settings)

    def everywhere() -> list[Process]:
        return [*descendants(head, title), *descendants(second, title)]

    wanted = len(everywhere())
    for _ in range(_MOVE_ATTEMPTS):
        if descendants(second, title):
            return
        old = _one_of(head, title)
        kill([old])
        deadline = time.monotonic() + _BACK_TIMEOUT_S
        while len(everywhere()) < wanted or old in everywhere():
            if time.monotonic() > deadline:
                raise Unavailable(f"{title!r} did not come back in {_BACK_TIMEOUT_S:.0f} s")
            time.sleep(_POLL_S)
    raise Unavailable(f"Ray never placed a {title!r} on the second node")


VICTIMS = {
    "host": Victim(_part(_HOST), _STATE, goal_s=3.0),
    "writer": Victim(_part(_WRITER), (Kind.MEMORY,), goal_s=3.0),
    "indexer": Victim(_part(_INDEXER), (Kind.SEARCHABLE,)),
    "gateway": Victim(_part(_GATEWAY), (Kind.MEMORY, *_STATE), wires=(Wire.HTTP,)),
    "supervisor": Victim(_part(_SUPERVISOR), (Kind.CONNECT,)),
    "postgres": Victim(_kill_postgres, (Kind.MEMORY, *_STATE), goal_s=15.0),
    "postmaster": Victim(_kill_postmaster, (Kind.MEMORY, *_STATE), goal_s=15.0),
    "backend": Victim(_kill_backend, (Kind.MEMORY, *_STATE), goal_s=15.0),
    "paused-host": Victim(_pause_host(_PAUSED_S), _STATE, goal_s=3.0),
    "zombie-host": Victim(_pause_host(_PRESUMED_DEAD_S), _STATE),
    "node": Victim(_kill_node, (Kind.MEMORY, *_STATE), goal_s=30.0),
}

RARE = ("node", "zombie-host")
"""These take half a minute each, so only every tenth round is one of them."""
