"""Progress: how far a board is, what comes next, and the whole board as text."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from pinak_ray.records.board.contradictions import BoardContradiction
from pinak_ray.records.board.questions import BoardQuestion
from pinak_ray.records.commands import Answer, ListAnswer, Listed, View
from pinak_ray.records.fields import Name
from pinak_ray.records.state.owners import Space

__all__ = [
    "Markdown",
    "MarkdownAnswer",
    "NextStep",
    "NextStepAnswer",
    "Progress",
    "ProgressAnswer",
    "Step",
]

# A model's context is the reader; 64 KiB are some 16,000 tokens.
MAX_MARKDOWN_CHARS = 65_536


class ProgressAnswer(ListAnswer):
    """How far a board is. `confidence` is the mean of all questions, 0 without any.

    `complete`: that is 0.7 or more, each question is answered at least in part, and no
    contradiction is open.
    """

    questions: tuple[BoardQuestion, ...]
    """The oldest, up to the limit."""
    asked: int
    """How many there are in all."""
    findings: int
    contradictions: tuple[BoardContradiction, ...]
    """Those that are open, up to the limit."""
    open_contradictions: int
    open_actions: int
    tasks: float | None
    """Which share of the tasks is done; none if there is no task."""
    confidence: float
    complete: bool


class Progress(Listed, View, space=Space.BOARD, name="progress"):
    """How far the board is, question by question."""

    answer = ProgressAnswer
    lists = ("questions", "contradictions")

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Step(StrEnum):
    """What an agent could do next."""

    ASK = "ask"
    RESOLVE = "resolve"
    ACT = "act"
    SEARCH = "search"
    FILL_GAPS = "fill_gaps"
    FOLLOW = "follow"
    VERIFY = "verify"
    CONCLUDE = "conclude"


class NextStepAnswer(Answer):
    """What to do next, why, and what it is about: a contradiction, action, question or note."""

    step: Step
    reason: str
    about: UUID | None


class NextStep(View, space=Space.BOARD, name="next_step"):
    """What the board needs most, told by rules."""

    answer = NextStepAnswer

    reader: Name | None = None
    """Whose notes count; all notes, if absent."""


class MarkdownAnswer(Answer):
    """The board as Markdown; `omitted` lines did not fit."""

    text: str
    omitted: int


class Markdown(View, space=Space.BOARD, name="markdown"):
    """The whole board, to be read."""

    answer = MarkdownAnswer

    max_chars: Annotated[int, Field(ge=200, le=MAX_MARKDOWN_CHARS)] = 16_384
