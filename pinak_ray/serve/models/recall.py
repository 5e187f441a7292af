"""Bodies and answers of `/v1/recall` and `/v1/nudges`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from pinak_ray.records.limits import MAX_K
from pinak_ray.records.memories import Layer, Outcome
from pinak_ray.records.nudges import MAX_NUDGES, Intent, NudgeKind, Strength, new_intent
from pinak_ray.records.recall import RecallRequest, new_recall
from pinak_ray.serve.models.base import (
    Answer,
    Body,
    LayerField,
    Moment,
    OutcomeField,
    VectorField,
)

__all__ = ["HitAnswer", "IntendBody", "NudgeAnswer", "NudgesAnswer", "RecallAnswer", "RecallBody"]


class RecallBody(Body):
    """A question to the namespace's memories."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": "what blocked the last rollout?", "k": 3, "tags": ["orders"]}]
        }
    )

    query: str = Field(description="At most 8 KiB of UTF-8.")
    k: int = Field(10, ge=1, le=MAX_K, description="How many hits at most.")
    recipe: str = Field("default", max_length=64, description="The combination of signals.")
    layers: list[LayerField] = Field([])
    agents: list[str] = Field([])
    sessions: list[str] = Field([])
    tags: list[str] = Field([], description="Every one of them must be on the memory.")
    outcome: OutcomeField | None = None
    since: Moment | None = Field(None, description="Inclusive, against `occurred_at`.")
    until: Moment | None = Field(None, description="Exclusive, against `occurred_at`.")
    min_score: float | None = None
    trace: bool = Field(False, description="Explain each hit: every signal's rank and score.")
    vector: VectorField | None = None

    def request(self, *, vector: bytes | None) -> RecallRequest:
        """Return the checked request; raises InvalidInput."""
        return new_recall(
            self.query,
            k=self.k,
            recipe=self.recipe,
            layers=self.layers,
            agents=self.agents,
            sessions=self.sessions,
            tags=self.tags,
            outcome=self.outcome,
            since=self.since,
            until=self.until,
            min_score=self.min_score,
            trace=self.trace,
            vector=vector,
        )


class IntendBody(Body):
    """What an agent is about to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agent": "deployer",
                    "intent": "deploy orders to production",
                    "tool": "kubectl",
                    "arguments": {"command": "rollout restart deploy/orders"},
                }
            ]
        }
    )

    intent: str = Field(description="At most 8 KiB of UTF-8.")
    agent: str | None = Field(None, description="Who intends; the token's subject if absent.")
    tool: str | None = None
    arguments: dict[str, Any] | None = None
    k: int = Field(1, ge=1, le=MAX_NUDGES, description="How many nudges at most.")

    def checked_intent(self) -> Intent:
        """Return the checked intent; raises InvalidInput."""
        return new_intent(self.intent, tool=self.tool, arguments=self.arguments)


class SignalAnswer(Answer):
    """What one signal said of one hit."""

    name: str
    score: float | None
    rank: int | None


class HitAnswer(Answer):
    """One memory that answers; scores compare within one answer only."""

    id: UUID
    content: str
    score: float
    layer: Layer
    agent: str
    session: str | None
    tags: list[str]
    outcome: Outcome | None
    occurred_at: datetime
    created_at: datetime
    details: dict[str, Any]
    source: str | None
    signals: list[SignalAnswer] = Field(description="Filled when a trace was asked for.")


class TraceAnswer(Answer):
    """How the result came to be."""

    recipe: str
    weights: dict[str, float]
    candidates: dict[str, int]
    timings_ms: dict[str, float]


class RecallAnswer(Answer):
    """The hits, best first, and the trace when it was asked for."""

    hits: list[HitAnswer]
    trace: TraceAnswer | None


class NudgeAnswer(Answer):
    """A past failure that bears on the intent, with its evidence."""

    kind: NudgeKind
    strength: Strength
    message: str
    reason: str
    score: float
    evidence: list[HitAnswer]


class NudgesAnswer(Answer):
    """The nudges, strongest first; an empty list means: go ahead."""

    nudges: list[NudgeAnswer]
