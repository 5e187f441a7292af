"""Bodies and answers of `/v1/recall` and `/v1/nudges`."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from pinak_ray.recall.recipes import RECIPES
from pinak_ray.records.limits import MAX_DEPTH, MAX_K
from pinak_ray.records.memory.nudges import (
    MAX_NUDGES,
    Intent,
    Nudge,
    Verdict,
    new_intent,
)
from pinak_ray.records.memory.recall import MAX_RRF_K, RecallRequest, new_recall
from pinak_ray.serve.v1.models.base import (
    Answer,
    Body,
    KeyField,
    LayerField,
    Moment,
    NameField,
    OutcomeField,
    QuestionField,
    VectorField,
)

__all__ = [
    "FeedbackBody",
    "IntendBody",
    "NudgesAnswer",
    "RecallBody",
]


class RecallBody(Body):
    """A question to the namespace's memories."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "what blocked the last rollout?", "k": 3, "tags": ["orders"]},
                {
                    "query": "orders table",
                    "any_tags": ["orders", "billing"],
                    "no_tags": ["drill"],
                    "entities": ["orders"],
                    "outcome": "failure",
                    "since": "2026-01-01T00:00:00+00:00",
                    "as_of": "2026-03-01T12:00:00+00:00",
                    "trace": True,
                },
                {"query": "who owns billing?", "recipe": "rrf", "rrf_k": 10, "min_score": 0.01},
                {"recipe": "recent", "agents": ["deployer"], "k": 20},
            ]
        }
    )

    query: QuestionField | None = Field(
        None, description="At most 8 KiB of UTF-8. Only the recipe `recent` needs none."
    )
    k: int = Field(10, ge=1, le=MAX_K, description="How many hits at most, on this page.")
    recipe: str = Field(
        "default",
        max_length=64,
        json_schema_extra={"enum": list(RECIPES)},
        description=f"The combination of signals and fusion: {', '.join(RECIPES)}.",
    )
    rrf_k: int | None = Field(
        None,
        ge=1,
        le=MAX_RRF_K,
        description="The constant of reciprocal rank fusion, with the recipe `rrf` only; its own "
        "is 60. The smaller, the more the first ranks count.",
    )
    layers: list[LayerField] = Field([], description="Any of these layers.")
    agents: list[NameField] = Field([], description="Any of these agents' memories; all if absent.")
    sessions: list[NameField] = Field([], description="Any of these sessions.")
    tags: list[NameField] = Field([], description="Every one of them must be on the memory.")
    any_tags: list[NameField] = Field([], description="At least one of them must be on the memory.")
    no_tags: list[NameField] = Field([], description="None of them may be on the memory.")
    entities: list[NameField] = Field([], description="The memory must be about every one of them.")
    outcome: OutcomeField | None = None
    since: Moment | None = Field(None, description="Inclusive, against `occurred_at`.")
    until: Moment | None = Field(None, description="Exclusive, against `occurred_at`.")
    as_of: Moment | None = Field(
        None,
        description="Answer from what was believed then: stored by then, and then neither "
        "superseded nor expired. It must not lie in the future.",
    )
    min_score: float | None = Field(
        None, description="No hit scores less. A trace shows what scores are made of."
    )
    min_relevance: float | None = Field(
        None, ge=0, le=1, description="No hit is less likely to answer; the same in every corpus."
    )
    now: Moment | None = Field(
        None,
        description='When it is for the asker, with their offset: "yesterday" is the day before. '
        "Only the day counts.",
    )
    zone: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="The asker's zone, an IANA name or an offset; else that of `now`, or else the "
        "namespace's.",
        examples=["Europe/Berlin", "+05:30"],
    )
    rerank: bool | None = Field(
        None,
        description="Whether the stack's reranker puts the first 20 in its own order; absent: as "
        "the stack is set up. Recipes of one signal have an order of their own.",
    )
    every_copy: bool = Field(
        False,
        description="Make memories of one content a hit each; else the best is one for them all, "
        "and its `copies` says how many they are.",
    )
    trace: bool = Field(
        False, description="Explain each hit: every signal's rank, score and contribution."
    )
    cursor: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="The last answer's `cursor`, for the next page; all else but `k` and `trace` "
        "must be as it was.",
    )
    expand: int = Field(
        0,
        ge=0,
        le=MAX_DEPTH,
        description="Behind the hits also up to `k` memories that are linked to them, at most so "
        "many links away.",
    )
    vector: VectorField | None = None

    def request(self, *, vector: bytes | None) -> RecallRequest:
        """Return the checked request; raises InvalidInput."""
        return new_recall(**{**dict(self), "vector": vector})


# JSON has no enums, so strictness would refuse their names.
VerdictField = Annotated[
    Verdict,
    Field(strict=False, description="`acted_on`: useful, and the action was left or changed."),
]


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

    intent: QuestionField = Field(description="At most 8 KiB of UTF-8.")
    agent: NameField | None = Field(None, description="Who intends; the token's subject if absent.")
    tool: NameField | None = None
    arguments: dict[str, Any] | None = None
    k: int = Field(1, ge=1, le=MAX_NUDGES, description="How many nudges at most.")
    repeat: bool = Field(False, description="Show again what was shown a short while ago.")
    idempotency_key: KeyField | None = Field(
        None, description="Names this request: repeating it is answered like the first one."
    )

    def checked_intent(self) -> Intent:
        """Return the checked intent; raises InvalidInput."""
        return new_intent(self.intent, tool=self.tool, arguments=self.arguments)


class FeedbackBody(Body):
    """What a nudge was worth."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "acted_on"}]})

    verdict: VerdictField
    agent: NameField | None = Field(None, description="Who says so; the token's subject if absent.")


class NudgesAnswer(Answer):
    """The nudges, strongest first; an empty list means: go ahead."""

    nudges: list[Nudge]
