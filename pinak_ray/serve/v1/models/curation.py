"""Body and answers of `/v1/curation`."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from pinak_ray.records.memory.curation import Reason
from pinak_ray.serve.v1.models.base import Answer, Body

__all__ = ["CurateBody", "CurationAnswer", "ReportAnswer"]


class CurateBody(Body):
    """A pass of the Curator."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: bool = Field(True, description="Only say what a pass would do.")


class CuratedAnswer(Answer):
    """One memory that was taken out of the way."""

    id: UUID
    reason: Reason
    content: str = Field(description="Its beginning.")
    strength: float
    kept: UUID | None = Field(description="What supersedes it; null for one that was archived.")


class ReportAnswer(Answer):
    """What one pass did, or would do."""

    dry_run: bool
    began_at: datetime
    duration_s: float
    looked_at: int
    counts: dict[Reason, int] = Field(description="Memories by reason.")
    bytes: int = Field(description="The size of their texts.")
    expired: int = Field(description="Memories that wait for the purge of each minute.")
    purged: int = Field(description="What left the archive for good.")
    complete: bool = Field(description="False: it came to its bound, and the next one goes on.")
    samples: list[CuratedAnswer] = Field(description="Ten at most.")


class PolicyAnswer(Answer):
    """What a pass does; by default nothing."""

    every_s: float
    merge: bool
    merge_cosine: float
    forget_below: float
    forget_after_days: float
    half_life_days: float
    archive_days: float


class CurationAnswer(Answer):
    """What the Curator may do in a namespace, and what it did."""

    policy: PolicyAnswer
    archived: int = Field(description="How many memories can be restored.")
    last: ReportAnswer | None = Field(description="Null before the first pass.")
