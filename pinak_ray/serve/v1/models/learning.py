"""Bodies of what is learned from a task: promotion and thought templates."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from pinak_ray.records.limits import MAX_SEQ
from pinak_ray.records.memory.promotion import MIN_CONFIDENCE
from pinak_ray.records.memory.templates import MAX_TEMPLATES, MIN_QUALITY
from pinak_ray.serve.v1.models.base import Body, NameField, QuestionField

__all__ = ["DistillBody", "OutcomeBody", "PromoteBoardBody", "PromotePadBody", "TemplatesBody"]

_EXAMPLE: dict[str, Any] = {"problem": "deploy a service that locks its table", "k": 3}
_Problem = Annotated[
    QuestionField, Field(description="What is to be solved; at most 8 KiB of UTF-8.")
]


class _PromoteBody(Body):
    min_confidence: float = Field(
        MIN_CONFIDENCE, ge=0, le=1, description="What is less sure is left out."
    )
    session: NameField | None = Field(None, description="That of the memories.")


class PromoteBoardBody(_PromoteBody):
    """Which findings of a board become memories."""

    author: NameField | None = Field(
        None, description="Who promotes; the token's subject if absent."
    )


class PromotePadBody(_PromoteBody):
    """Which steps of reasoning become memories."""

    min_quality: float = Field(
        0.0, ge=0, le=1, description="Below this quality of the scratchpad none does."
    )


class DistillBody(Body):
    """A trajectory to make a template of."""

    problem: _Problem
    quality: float | None = Field(
        None, ge=0, le=1, description="Your judgement; the scratchpad's own quality if absent."
    )
    min_quality: float = Field(MIN_QUALITY, ge=0, le=1)
    after: int = Field(0, ge=0, le=MAX_SEQ, description="The steps past this sequence number.")


class TemplatesBody(Body):
    """A problem that a template may fit."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    problem: _Problem
    k: int = Field(3, ge=1, le=MAX_TEMPLATES)


class OutcomeBody(Body):
    """How a run ended that used a template."""

    success: bool
    run: NameField = Field(description="Names the run: told again, it counts once.")
    agent: NameField | None = Field(None, description="Whose run; the token's subject if absent.")
