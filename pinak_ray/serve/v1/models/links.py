"""Bodies and answers of `/v1/memories/{id}/links`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from pinak_ray.records.memory.links import MIN_STRENGTH, LinkChange, LinkKind, change_link
from pinak_ray.serve.v1.models.base import AckField, Answer, Body, IdField, NameField
from pinak_ray.serve.v1.models.recall import HitAnswer

__all__ = ["LinkBody", "RelatedAnswers"]

_EXAMPLE: dict[str, Any] = {
    "to": "01990000-0000-7000-8000-000000000000",
    "kind": "caused_by",
    "strength": 0.8,
}


class LinkBody(Body):
    """A link from the memory in the path to another one."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    to: IdField = Field(description="The other memory's id.")
    kind: Annotated[LinkKind, Field(strict=False)] = Field(
        LinkKind.REFERS_TO, description="What the first memory is to the other: `caused_by` it."
    )
    strength: float = Field(1.0, ge=MIN_STRENGTH, le=1)
    agent: NameField | None = Field(
        None, description="Who links them; the token's subject if absent."
    )
    ack: AckField | None = None

    def change(self, namespace_id: int, agent: str, memory_id: str) -> LinkChange:
        """Return the checked change; raises InvalidInput."""
        return change_link(namespace_id, agent, memory_id, self.to, self.kind, self.strength)


class LinkAnswer(Answer):
    """One link; without an author the Indexer found it."""

    from_id: UUID
    to_id: UUID
    kind: LinkKind
    strength: float
    author: str | None
    created_at: datetime


class RelatedAnswer(Answer):
    """One memory that links lead to."""

    hit: HitAnswer
    strength: float = Field(description="The product of the strengths along the path.")
    depth: int = Field(description="How many links the path has.")
    link: LinkAnswer = Field(description="The last link of the path.")


class RelatedAnswers(Answer):
    """What links lead to, strongest first."""

    related: list[RelatedAnswer]
