"""What the Curator may do, and what it says that it did."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

__all__ = ["Curated", "CurationPolicy", "CurationReport", "Reason"]


class Reason(StrEnum):
    """Why the Curator took a memory out of the way."""

    WEAK = "weak"
    """Its strength fell under the floor: archived, and deleted."""
    DUPLICATE = "duplicate"
    """Another memory has the same text: superseded by it."""
    NEAR_DUPLICATE = "near_duplicate"
    """Another memory says all that it says: superseded by it."""


@dataclass(frozen=True, slots=True)
class CurationPolicy:
    """What a pass does. By default nothing: strength then only orders."""

    every_s: float = 3600.0
    """Between two passes over a namespace, give or take a tenth."""
    merge: bool = False
    merge_cosine: float = 0.95
    forget_below: float = 0.0
    """The floor of strength; 0 forgets nothing."""
    forget_after_days: float = 90.0
    """Nothing younger is forgotten, however weak."""
    half_life_days: float = 30.0
    archive_days: float = 90.0
    """What was archived can be restored for so long; 0: for ever."""

    @property
    def acts(self) -> bool:
        """Whether a pass may take any memory out of the way."""
        return self.merge or self.forget_below > 0


@dataclass(frozen=True, slots=True)
class Curated:
    """One memory of a report; `kept` supersedes it, `content` is its beginning."""

    id: UUID
    reason: Reason
    content: str
    strength: float
    kept: UUID | None = None


@dataclass(frozen=True, slots=True)
class CurationReport:
    """What one pass over a namespace did, or with `dry_run` what it would do.

    `counts` are memories by reason, `bytes` their texts' size, `samples` ten of them at most.
    `expired` memories wait for the purge of each minute; `purged` ones left the archive for good.
    A pass that is not `complete` came to its bound: the next one goes on behind it.
    """

    dry_run: bool
    began_at: datetime
    duration_s: float
    looked_at: int
    counts: dict[str, int]
    bytes: int
    expired: int
    purged: int
    complete: bool
    samples: tuple[Curated, ...]
