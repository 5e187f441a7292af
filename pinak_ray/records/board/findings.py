"""Findings: what an agent found out, where, how sure it is, and which questions it bears on."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pinak_ray.records.board.fields import JsonObject
from pinak_ray.records.commands import Command
from pinak_ray.records.fields import Confidence, Labels, Seconds, Text
from pinak_ray.records.forms import text_form
from pinak_ray.records.limits import check_text
from pinak_ray.records.state.owners import Space

__all__ = ["FindingDetails", "FindingType", "PostFinding", "Source"]


class FindingType(StrEnum):
    """What a finding is; of the types that a finding was posted as, the last named here stays."""

    FACT = "fact"
    STATISTIC = "statistic"
    DEFINITION = "definition"
    PROCEDURE = "procedure"
    CONTACT = "contact"
    CONTRADICTION = "contradiction"


# The length that a memory's source may have, which a promoted finding's becomes.
SourceText = Annotated[
    str, AfterValidator(lambda text: check_text("a source", text, limit=2048)), text_form(2048)
]


class Source(BaseModel):
    """Where a finding comes from."""

    model_config = ConfigDict(frozen=True)

    url: str
    title: str | None = None


class FindingDetails(BaseModel):
    """A finding's entry has these details, those that differ from here, beside its author's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: FindingType = FindingType.FACT
    confidence: Confidence = 0.5
    verified: bool = False
    sources: tuple[Source, ...] = ()
    questions: tuple[UUID, ...] = ()
    found_by: tuple[str, ...] = ()
    """Who found the same, beside its author."""
    contradicts: tuple[UUID, ...] = ()
    """Findings, whether that was resolved or not."""
    refuted_by: UUID | None = None
    """The contradiction in which another finding was kept."""


class PostFinding(Command, space=Space.BOARD, verb="findings"):
    """A finding. The same content again is the same finding: sources, questions, finders unite.

    Of confidences the highest stays.
    """

    content: Text
    type: FindingType = FindingType.FACT
    source_url: SourceText | None = None
    source_title: SourceText | None = None
    confidence: Confidence = 0.5
    questions: Labels = ()
    """Ids or keys."""
    verified: bool = False
    details: JsonObject = Field(default_factory=dict)
    """Anything else."""
    ttl_s: Seconds | None = None

    @model_validator(mode="after")
    def _has_sound_details(self) -> "PostFinding":
        if taken := FindingDetails.model_fields.keys() & self.details.keys():
            raise ValueError(f"details must not name {', '.join(sorted(taken))}: they are fields")
        if self.source_title is not None and self.source_url is None:
            raise ValueError("a source_title needs a source_url")
        return self
