"""The four parts of a scratchpad (RAISE) and its questions: how each is written down.

Observations, reasoning, examples and the trajectory; thoughts, entities and the quality signal are
in files of their own.
"""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Confidence, Name, Text
from pinak_ray.records.limits import MAX_TTL_S
from pinak_ray.records.state.owners import Space

__all__ = [
    "Act",
    "AnswerOnScratchpad",
    "AskOnScratchpad",
    "FindExample",
    "FoundExample",
    "FoundExampleAnswer",
    "Ids",
    "Observe",
    "Reason",
    "RecordExample",
    "ScratchpadQuestion",
    "ScratchpadQuestionStatus",
    "ScratchpadQuestions",
    "ScratchpadQuestionsAnswer",
    "StepType",
    "Uncertainty",
]

Ids = Annotated[tuple[UUID, ...], Field(max_length=64)]
"""Entries of the same scratchpad."""


class StepType(StrEnum):
    """How a step of reasoning was made."""

    DEDUCTION = "deduction"
    INDUCTION = "induction"
    ABDUCTION = "abduction"
    COMPARISON = "comparison"
    SYNTHESIS = "synthesis"
    CRITIQUE = "critique"
    HYPOTHESIS = "hypothesis"


class Uncertainty(StrEnum):
    """How sure a step is: by its confidence, or why it is not."""

    HIGH = "high_confidence"
    MEDIUM = "medium_confidence"
    LOW = "low_confidence"
    CONFLICTING = "conflicting_evidence"
    """It, or something that it rests on, is contradicted."""
    MISSING = "missing_information"
    """Something that it rests on is gone."""
    UNVERIFIED = "unverified"
    """It rests on nothing."""


class ScratchpadQuestionStatus(StrEnum):
    """How far a question is: never written down, but read off what bears on it."""

    UNANSWERED = "unanswered"
    PARTIAL = "partial"
    """Something bears on it."""
    CONFLICT = "conflict"
    """What bears on it is contradicted, and it has no answer."""
    ANSWERED = "answered"


class Observe(Command, space=Space.AGENT, verb="observe"):
    """Write down what was seen: a tool's output, a document, what a user said."""

    content: Text
    type: Name = "tool_output"
    source: Name | None = None
    relevance: Confidence = 0.5
    """How much it matters to the task; below .5 it does not count as evidence."""
    question: UUID | None = None
    """The question that it bears on."""
    contradicts: Ids = ()
    """Observations, steps or thoughts that cannot be true beside it."""


class Reason(Command, space=Space.AGENT, verb="reason"):
    """Write down a step of reasoning; every premise must be an entry of the same scratchpad."""

    content: Text
    premises: Ids = ()
    conclusion: Text | None = None
    confidence: Confidence = 0.5
    step_type: StepType = StepType.DEDUCTION
    uncertainty: Uncertainty | None = None
    """What its author says of it; without it, its confidence says it."""
    question: UUID | None = None
    contradicts: Ids = ()


class RecordExample(Command, space=Space.AGENT, verb="example"):
    """Write down an input with the output that was good for it."""

    type: Name
    input: Text
    output: Text
    quality: Confidence = 0.8


class FoundExample(Answer):
    """An example whose input is like the one that was asked for."""

    id: UUID
    type: str
    input: str
    output: str
    quality: float
    overlap: float
    reuse_count: int
    """How often it was found, this time included."""


class FoundExampleAnswer(Answer):
    """The example that fits best, if any fits."""

    example: FoundExample | None


class FindExample(Command, space=Space.AGENT, verb="find_example"):
    """Find the example of this type whose input shares most words, and count its reuse."""

    answer = FoundExampleAnswer

    type: Name
    input: Text


class Act(Command, space=Space.AGENT, verb="act"):
    """Write down an action and how it went: one step of the trajectory."""

    action: Text
    input_state: Text | None = None
    output_state: Text | None = None
    success: bool = True
    error: Text | None = None
    duration_ms: Annotated[float, Field(ge=0, le=MAX_TTL_S * 1000)] | None = None


class AskOnScratchpad(Command, space=Space.AGENT, verb="ask"):
    """Write down a question that the task has to answer."""

    content: Text
    criteria: Text | None = None
    """What an answer has to say to be complete."""


class AnswerOnScratchpad(Command, space=Space.AGENT, verb="answer"):
    """Answer a question; a surer answer takes the place of an earlier one, a less sure one not."""

    question: UUID
    content: Text
    confidence: Confidence = 0.8
    sources: Ids = ()


class ScratchpadQuestion(Answer):
    """One question, and how far it is."""

    id: UUID
    content: str
    criteria: str | None
    status: ScratchpadQuestionStatus
    answer: str | None
    confidence: float
    """Of the answer; 0 without one."""
    bearing: tuple[UUID, ...]
    """The observations and steps that bear on it."""


class ScratchpadQuestionsAnswer(ListAnswer):
    """Questions in the order in which they were asked."""

    questions: tuple[ScratchpadQuestion, ...]


class ScratchpadQuestions(Listed, View, space=Space.AGENT, name="questions"):
    """The scratchpad's questions."""

    answer = ScratchpadQuestionsAnswer
    lists = ("questions",)

    status: ScratchpadQuestionStatus | None = None
    """Only those that are so far."""
