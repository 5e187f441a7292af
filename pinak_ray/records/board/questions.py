"""Questions: what a team wants to know, how far it is, and when a question counts as answered."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from pinak_ray.records.commands import Answer, Command, View
from pinak_ray.records.fields import Confidence, Name, Text
from pinak_ray.records.forms import text_form
from pinak_ray.records.limits import MAX_LABELS, check_text
from pinak_ray.records.state.owners import Space

__all__ = [
    "AnswerQuestion",
    "Ask",
    "BoardQuestion",
    "PartlyAnswer",
    "QuestionStatus",
    "SearchQuestion",
    "SimilarQuestion",
    "SimilarQuestionAnswer",
]


class QuestionStatus(StrEnum):
    """How far a question is. It rises in this order and never falls.

    `conflict` lies over it as long as findings of it contradict each other.
    """

    UNANSWERED = "unanswered"
    SEARCHING = "searching"
    PARTIAL = "partial"
    ANSWERED = "answered"
    CONFLICT = "conflict"


# A gap is a line; a text beyond this is a finding.
Gap = Annotated[
    str, AfterValidator(lambda text: check_text("a gap", text, limit=1024)), text_form(1024)
]


class Ask(Command, space=Space.BOARD, verb="ask"):
    """A question. The same one again, but for case and spaces, is the one that was asked."""

    text: Text
    criteria: Text | None = None
    """When it counts as answered; a general criterion if absent."""
    key: Name | None = None
    """A short name for it, instead of its id."""


class SearchQuestion(Command, space=Space.BOARD, verb="search"):
    """Say that the author looks for an answer."""

    question: Name


class AnswerQuestion(Command, space=Space.BOARD, verb="answer"):
    """Answer a question. An answer gives way to a surer one, or to its author's next one."""

    question: Name
    text: Text
    confidence: Confidence = 0.8
    findings: Annotated[tuple[UUID, ...], Field(max_length=MAX_LABELS)] = ()
    """What the answer rests on."""


class PartlyAnswer(Command, space=Space.BOARD, verb="partial"):
    """Say what is missing yet: each gap becomes an action of type `fill_gap`."""

    question: Name
    gaps: Annotated[tuple[Gap, ...], Field(max_length=MAX_LABELS)] = ()
    confidence: Confidence = 0.5


class BoardQuestion(Answer):
    """One question."""

    id: UUID
    key: str | None
    text: str
    author: str
    criteria: str
    status: QuestionStatus
    confidence: float
    searched_by: str | None
    gaps: tuple[str, ...]
    answer: str | None
    answered_by: str | None
    findings: int
    """How many findings bear on it."""


class SimilarQuestionAnswer(Answer):
    """The question most like it, if any is like it; `similarity` is from 0 to 1."""

    question: BoardQuestion | None
    similarity: float


class SimilarQuestion(View, space=Space.BOARD, name="similar_question"):
    """Look for a question in nearly the same words, so that nobody asks twice."""

    answer = SimilarQuestionAnswer

    text: Text
