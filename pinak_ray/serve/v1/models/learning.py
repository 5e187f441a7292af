"""Bodies of what is learned from a task: promotion and thought templates."""

from pydantic import Field

from pinak_ray.records.memory.promotion import MIN_CONFIDENCE
from pinak_ray.serve.v1.models.base import Body, NameField

__all__ = ["PromoteBoardBody", "PromotePadBody"]


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
