"""Open points: what a board asks of one agent now, and what reading all of it would have cost."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from pinak_ray.records.commands import Answer, ListAnswer, Listed, View
from pinak_ray.records.fields import Name
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.state.owners import EntryKind, Space

__all__ = ["OpenPoint", "OpenPoints", "OpenPointsAnswer"]


class OpenPoint(Answer):
    """A task, note, contradiction or question."""

    kind: EntryKind
    id: UUID
    author: str
    text: str
    state: str
    """Of a task `yours` or `executable`, of a note `to you` or `to all`; else how far it is."""
    missing: tuple[str, ...] = ()
    """A question's gaps."""


class OpenPointsAnswer(ListAnswer):
    """Open points: those that concern the reader alone first, then the most pressing."""

    points: tuple[OpenPoint, ...]
    whole_tokens: int
    """About how many tokens all live entries of the board have."""


class OpenPoints(Listed, View, space=Space.BOARD, name="open_points"):
    """What is open: unsettled contradictions, questions without an answer, tasks, notes."""

    answer = OpenPointsAnswer
    lists = ("points",)

    reader: Name
    """Whose tasks and notes count; executable tasks and notes to all count for everyone."""
    limit: Annotated[int, Field(ge=1, le=MAX_READ)] = 100
