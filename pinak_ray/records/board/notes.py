"""What can be done on a board beyond posting, and how a board is read."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Name, Text
from pinak_ray.records.limits import MAX_READ
from pinak_ray.records.state.owners import Space

__all__ = ["BoardNote", "Notes", "NotesAnswer", "Tell"]


class Tell(Command, space=Space.BOARD, verb="tell"):
    """A note: what its author did and saw, and what it recommends, to one agent or to all."""

    content: Text
    to: Name | None = None
    """Whom it is for; all, if absent."""
    recommendation: Text | None = None


class BoardNote(Answer):
    """One note."""

    id: UUID
    author: str
    to: str | None
    content: str
    recommendation: str | None


class NotesAnswer(ListAnswer):
    """Notes, newest first."""

    notes: tuple[BoardNote, ...]


class Notes(Listed, View, space=Space.BOARD, name="notes"):
    """The notes for one agent: those to all, and those to it."""

    answer = NotesAnswer
    lists = ("notes",)

    reader: Name | None = None
    """Whose; without one, notes to anyone are shown."""
    limit: Annotated[int, Field(ge=1, le=MAX_READ)] = 5
