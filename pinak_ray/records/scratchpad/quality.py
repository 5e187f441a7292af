"""The quality signal: how good the work on a scratchpad is, and what would make it better."""

from typing import Annotated

from pydantic import Field

from pinak_ray.records.commands import Answer, View
from pinak_ray.records.state.owners import Space

__all__ = ["Quality", "QualityAnswer", "Weight"]

Weight = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]


class QualityAnswer(Answer):
    """The parts and their weighted mean, all from 0 to 1."""

    overall: float
    evidence: float
    """The mean relevance of the observations that matter; less where they are contradicted."""
    reasoning: float
    """The mean confidence of the steps, as far as what they rest on carries it."""
    coverage: float | None
    """The share of the questions that anything bears on; None without questions."""
    weights: dict[str, float]
    """As they were applied: their sum is 1."""
    indicators: tuple[str, ...]
    """What makes it uncertain."""
    recommendations: tuple[str, ...]


class Quality(View, space=Space.AGENT, name="quality"):
    """Judge the work on the scratchpad; the weights are brought to a sum of 1.

    Without questions coverage has no weight.
    """

    answer = QualityAnswer

    evidence: Weight = 0.4
    reasoning: Weight = 0.4
    coverage: Weight = 0.2
