"""The reasoning graph (Graph of Thoughts): typed thoughts, typed edges, and what they amount to."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Confidence, Text
from pinak_ray.records.scratchpad.parts import Uncertainty
from pinak_ray.records.state.owners import EntryKind, Space

__all__ = [
    "CheckedThought",
    "Convergence",
    "ConvergentAnswer",
    "Edge",
    "EdgeKind",
    "Flaw",
    "FlawKind",
    "PruneThoughts",
    "PrunedAnswer",
    "Rival",
    "Think",
    "Thought",
    "ThoughtType",
    "Thoughts",
    "ThoughtsAnswer",
    "Verification",
    "VerifyReasoning",
]


class ThoughtType(StrEnum):
    """What a thought is."""

    HYPOTHESIS = "hypothesis"
    EVIDENCE = "evidence"
    CRITIQUE = "critique"
    REFINEMENT = "refinement"
    AGGREGATE = "aggregate"
    CONCLUSION = "conclusion"


class EdgeKind(StrEnum):
    """What a thought is to another: read `this one KIND that one`."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    CRITIQUES = "critiques"
    REFINES = "refines"
    DERIVES_FROM = "derives_from"
    AGGREGATES = "aggregates"


class Edge(BaseModel):
    """From the thought that has it to another thought, an observation or a step of reasoning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: EdgeKind
    to: UUID


class Think(Command, space=Space.AGENT, verb="think"):
    """Add a thought; Conflict if its edges would make the reasoning go in a circle."""

    content: Text
    type: ThoughtType = ThoughtType.HYPOTHESIS
    edges: Annotated[tuple[Edge, ...], Field(max_length=64)] = ()
    score: Confidence = 0.5
    """How sure it is by itself."""


class PrunedAnswer(Answer):
    """All thoughts that are pruned now."""

    pruned: tuple[UUID, ...]


class PruneThoughts(Command, space=Space.AGENT, verb="prune_thoughts"):
    """Mark the thoughts whose confidence is below this; they stay readable, but carry nothing."""

    answer = PrunedAnswer

    min_score: Confidence


class Thought(Answer):
    """A thought, a step of reasoning or an observation, as one node of the graph."""

    id: UUID
    kind: EntryKind
    type: str
    content: str
    score: float
    """How sure its author was."""
    confidence: float
    """How sure it is, by all that it rests on and all that speaks for and against it."""
    pruned: bool
    edges: tuple[Edge, ...]


class ThoughtsAnswer(ListAnswer):
    """Nodes, in the order in which they were made."""

    thoughts: tuple[Thought, ...]


class Thoughts(Listed, View, space=Space.AGENT, name="thoughts"):
    """The nodes of the reasoning graph, pruned thoughts left out unless they are asked for."""

    answer = ThoughtsAnswer
    lists = ("thoughts",)

    id: tuple[UUID, ...] = ()
    """Only these, in their order."""
    type: str | None = None
    pruned: bool = False


class FlawKind(StrEnum):
    """Why a conclusion does not hold."""

    UNFOUNDED = "unfounded"
    """It rests on nothing."""
    MISSING = "missing"
    """A premise is gone, or pruned."""
    LOW = "low"
    """A premise's confidence is below .5."""
    CONTRADICTED = "contradicted"
    """A premise, or the conclusion itself, is contradicted."""


class Flaw(Answer):
    """One reason, and the entry that it lies in."""

    kind: FlawKind
    at: UUID


class CheckedThought(Answer):
    """What a step, an aggregate or a conclusion is worth."""

    thought: Thought
    uncertainty: Uncertainty
    flaws: tuple[Flaw, ...]


class Verification(ListAnswer):
    """Everything that was concluded, premises first."""

    sound: bool
    """There is no flaw."""
    checked: tuple[CheckedThought, ...]


class VerifyReasoning(Listed, View, space=Space.AGENT, name="verify_reasoning"):
    """Walk the graph from what was seen to what was concluded, and name what does not hold."""

    answer = Verification
    lists = ("checked",)


class Rival(Answer):
    """Another conclusion, and what supports it."""

    id: UUID
    content: str
    support: float


class Convergence(ListAnswer):
    """The conclusion that most leads to; all None and empty without any conclusion."""

    conclusion: Thought | None
    support: float
    """The sum of the confidences of what directly leads to it."""
    path: tuple[Thought, ...]
    """What it rests on, premises first."""
    rivals: tuple[Rival, ...]


class ConvergentAnswer(Listed, View, space=Space.AGENT, name="convergent_answer"):
    """Which conclusion do the lines of reasoning meet in? Equal texts are one conclusion."""

    answer = Convergence
    lists = ("path", "rivals")
