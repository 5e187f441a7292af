"""What the Curator may do, and what it says that it did."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pinak_ray.records.results import Result

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
class CurationPolicy(Result):
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
class Curated(Result):
    """One memory that was taken out of the way."""

    id: UUID
    reason: Reason
    content: str
    """Its beginning."""
    strength: float
    kept: UUID | None = None
    """What supersedes it; None of one that was archived."""


@dataclass(frozen=True, slots=True)
class CurationReport(Result):
    """What one pass over a namespace did, or with `dry_run` what it would do."""

    dry_run: bool
    began_at: datetime
    duration_s: float
    looked_at: int
    counts: dict[str, int]
    """Memories by reason."""
    bytes: int
    """The size of their texts."""
    expired: int
    """Memories that wait for the purge of each minute."""
    purged: int
    """What left the archive for good."""
    complete: bool
    """False: it came to its bound, and the next one goes on behind it."""
    samples: tuple[Curated, ...]
    """Ten at most."""
