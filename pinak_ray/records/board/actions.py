"""Actions: a queue of what is to be done on a board, most urgent first, taken under a lease."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from pinak_ray.records.board.fields import JsonObject
from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Labels, Name, Text
from pinak_ray.records.limits import MIN_TTL_S
from pinak_ray.records.state.owners import Space

__all__ = [
    "Actions",
    "ActionsAnswer",
    "BoardAction",
    "FinishAction",
    "PushAction",
    "TakeAction",
    "TakenAction",
]

# 0 is the most urgent. What the board itself asks for takes 1 and 2, what agents push 5.
Priority = Annotated[int, Field(ge=0, le=9)]
# An hour: whoever works longer on one action finishes it in parts.
Lease = Annotated[float, Field(ge=MIN_TTL_S, le=3600, allow_inf_nan=False)]


class BoardAction(Answer):
    """One action. While `taken_by` is set and `leased_until` lies ahead nobody else gets it."""

    id: UUID
    type: str
    priority: int
    details: dict[str, Any]
    author: str
    taken_by: str | None
    leased_until: datetime | None


class PushAction(Command, space=Space.BOARD, verb="push_action"):
    """Put an action into the queue."""

    type: Name
    priority: Priority = 5
    """0 is the most urgent, 9 the least."""
    details: JsonObject = Field(default_factory=dict)


class TakenAction(Answer):
    """The action that was taken, if there was one."""

    action: BoardAction | None


class TakeAction(Command, space=Space.BOARD, verb="take_action"):
    """Take the most urgent action that nobody holds, the oldest of several.

    Without `finish_action` within the lease it returns to the queue.
    """

    answer = TakenAction

    types: Labels = ()
    """Of these types only; of any, if absent."""
    lease_s: Lease = 60.0


class FinishAction(Command, space=Space.BOARD, verb="finish_action"):
    """Say how an action ended that its author has taken."""

    action: UUID
    outcome: Text


class ActionsAnswer(ListAnswer):
    """Unfinished actions in the order in which they would be taken; taken ones are among them."""

    actions: tuple[BoardAction, ...]


class Actions(Listed, View, space=Space.BOARD, name="actions"):
    """Look at the queue without taking anything."""

    answer = ActionsAnswer
    lists = ("actions",)

    types: Labels = ()
    limit: Annotated[int, Field(ge=1, le=100)] = 10
