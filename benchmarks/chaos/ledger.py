"""What the load issued, and what was acknowledged: the books that PostgreSQL is held against."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pinak_ray.records.memory.memories import Receipt

__all__ = ["Kind", "Lane", "Ledger", "Wire"]


class Kind(StrEnum):
    """What a lane does again and again."""

    MEMORY = "memory"
    SEARCHABLE = "searchable"
    NOTE = "note"
    SCRATCHPAD = "scratchpad"
    BOARD = "board"
    CONNECT = "connect"
    """No write: a new client that looks for the stack."""


class Wire(StrEnum):
    """How a lane's operations travel."""

    RAY = "ray"
    HTTP = "http"


class Lane(NamedTuple):
    """One agent's operations of one kind, numbered from 1 in the order they are issued."""

    kind: Kind
    agent: str
    wire: Wire


@dataclass(slots=True)
class Ledger:
    """The books of one round, in a namespace of its own.

    A write that raised is unacknowledged: it may be there or not, once; it is counted, not judged.
    """

    namespace_id: int
    issued: Counter[Lane] = field(default_factory=Counter)
    acknowledged: dict[Lane, dict[int, Receipt]] = field(default_factory=lambda: defaultdict(dict))
    refusals: Counter[str] = field(default_factory=Counter)
    """Unacknowledged writes by the error that they raised."""

    def issue(self, lane: Lane, count: int) -> range:
        """Return the numbers of the lane's next writes."""
        first = self.issued[lane] + 1
        self.issued[lane] += count
        return range(first, first + count)

    def record(self, lane: Lane, outcomes: Iterable[tuple[int, Receipt | BaseException]]) -> None:
        """Enter each write's receipt, or the error instead of it."""
        for number, outcome in outcomes:
            if isinstance(outcome, BaseException):
                self.refusals[f"{lane.kind} over {lane.wire}: {outcome!r:.200}"] += 1
            else:
                self.acknowledged[lane][number] = outcome
