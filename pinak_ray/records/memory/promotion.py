"""Promotion: what of a board or a scratchpad becomes memories when its task ends."""

from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from pinak_ray.records.commands import Answer
from pinak_ray.records.limits import check_name, check_number
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.wiring import Operation, Place, wired

__all__ = [
    "MIN_CONFIDENCE",
    "FindPromoted",
    "Held",
    "Known",
    "MadeFrom",
    "Promote",
    "Promoted",
    "Promotion",
    "Skipped",
    "Sought",
    "made_from",
    "new_promote",
]

# memOS's bar, which its own promotion never reached: it was never called.
MIN_CONFIDENCE = 0.75


class Skipped(StrEnum):
    """Why an entry did not become a memory."""

    LOW_CONFIDENCE = "low_confidence"
    LOW_QUALITY = "low_quality"
    """The whole scratchpad is below the bar."""
    REFUTED = "refuted"
    UNCHANGED = "unchanged"
    """It was promoted before, and has not changed since."""
    DUPLICATE = "duplicate"
    """A memory says the same."""
    REVISED = "revised"
    """It was promoted before, and that memory was revised or forgotten since."""
    UNFIT = "unfit"
    """A memory cannot be so long, or the like."""


class Promoted(Answer):
    """One entry that became a memory."""

    entry: UUID
    memory: UUID
    revised: bool
    """It takes the place of the memory that the entry became before."""


class Held(Answer):
    """One entry that waits until what contradicts it is resolved."""

    entry: UUID
    contradictions: tuple[UUID, ...]
    """The contradictions, or the entries that contradict it."""


class Promotion(Answer):
    """What became of the findings of a board, or of the reasoning of a scratchpad."""

    promoted: tuple[Promoted, ...]
    """In the order in which the entries were made."""
    held: tuple[Held, ...]
    skipped: dict[Skipped, int]
    """How many were left out, by reason."""
    links: int
    """How many links were made; those that were there do not count."""


@wired(
    Place.COMPOSED,
    "POST /v1/boards/{board}/promote",
    "POST /v1/agents/{agent}/scratchpad/promote",
    writes=True,
)
class Promote(Operation[Promotion], frozen=True):
    """Make memories of what an owner's entries found out, each once."""

    owner: Owner
    author: str
    min_confidence: float
    min_quality: float
    session: str | None


def new_promote(
    owner: Owner,
    author: str,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    min_quality: float = 0.0,
    session: str | None = None,
) -> Promote:
    """Return the checked operation; raises InvalidInput."""
    return Promote(
        owner,
        check_name("author", author),
        check_number("min_confidence", min_confidence, low=0.0, high=1.0),
        check_number("min_quality", min_quality, low=0.0, high=1.0),
        None if session is None else check_name("session", session),
    )


class Sought(NamedTuple):
    """A memory that may be there already: by its id, or as another that says the same."""

    memory_id: UUID
    content: str


class MadeFrom(NamedTuple):
    """From which state of its entry a memory was made."""

    version: int
    says: str
    """A digest of all that the entry says of the memory."""


def made_from(promoted: bytes | None) -> MadeFrom | None:
    """Return what `promoted` in a memory's details (JSON) says of it, None if it says nothing."""
    said: Any = None if promoted is None else orjson.loads(promoted)
    try:
        return MadeFrom(int(said["version"]), str(said["says"]))
    except (TypeError, KeyError, ValueError):
        return None


class Known(NamedTuple):
    """What is there of one that was sought; all None: nothing."""

    current: UUID | None = None
    """The memory, or the last of those that superseded one another after it."""
    made: MadeFrom | None = None
    """None where `current` was made by other means."""
    same: UUID | None = None
    """Another memory that says the same; looked for where the memory itself is not there."""


@wired(Place.SEARCH, unrouted="a step of promote")
class FindPromoted(Operation[tuple[Known, ...]], frozen=True):
    """Find what of these is there, in their order."""

    namespace_id: int
    sought: tuple[Sought, ...]
