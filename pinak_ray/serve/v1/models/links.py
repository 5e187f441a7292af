"""Bodies and answers of `/v1/memories/{id}/links`."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from pinak_ray.records.memory.links import MIN_STRENGTH, LinkChange, LinkKind, Related, change_link
from pinak_ray.serve.v1.models.base import AckField, Answer, Body, IdField, NameField

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


class RelatedAnswers(Answer):
    """What links lead to, strongest first."""

    related: list[Related]
