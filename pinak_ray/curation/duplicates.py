"""Which of two memories that say the same is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from pinak_ray.records.memory.curation import Reason

__all__ = ["Candidate", "SaysTheSame", "keep_one", "says_the_same"]

SaysTheSame: TypeAlias = Callable[[str, str], bool]
"""Judges two texts whose vectors are near; a model that understands them could take this place."""

# At the edges of a word these say nothing. A question mark does, and so do the signs of numbers.
_EDGES = ".,;:!()[]{}'\"`“”‘’"
_SILENT = frozenset({"a", "an", "the", "please", ""})


@dataclass(frozen=True, slots=True)
class Candidate:
    """One memory as a merge looks at it; its strength is that of now."""

    id: UUID
    layer: str
    outcome: str | None
    content: str
    created_at: datetime
    strength: float


def keep_one(
    one: Candidate, other: Candidate, judge: SaysTheSame
) -> tuple[Candidate, Candidate, Reason] | None:
    """Return which of two similar memories is kept, which it replaces, and why; None for neither.

    The stronger one is kept; of equally strong ones the newer.
    """
    if (one.layer, one.outcome) != (other.layer, other.outcome):
        return None
    merged, kept = sorted((one, other), key=lambda each: (each.strength, each.created_at, each.id))
    if one.content == other.content:
        return kept, merged, Reason.DUPLICATE
    return (kept, merged, Reason.NEAR_DUPLICATE) if judge(kept.content, merged.content) else None


def says_the_same(one: str, other: str) -> bool:
    """Return True if two texts have the same words in the same order.

    Case, punctuation around words and articles may differ; numbers, names and denials are words.
    Vectors do not say that much: "port 8080" and "port 8081", "from a to b" and "from b to a", "is
    allowed" and "is not allowed" are all but the same to them, and whoever merges these has lost
    one without anybody noticing. So this rather misses a duplicate.
    """
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    words = (word.strip(_EDGES).casefold() for word in text.split())
    return [word for word in words if word not in _SILENT]
