"""Contradictions: two findings that cannot both hold, and how a team came to keep one of them."""

from datetime import datetime
from uuid import UUID

from pinak_ray.records.commands import Answer, Command
from pinak_ray.records.fields import Text
from pinak_ray.records.state.owners import Space

__all__ = ["BoardContradiction", "Contradict", "Resolve"]


class Contradict(Command, space=Space.BOARD, verb="contradict"):
    """Two findings contradict each other; their questions are in conflict until it is resolved.

    The same two are contradictory once.
    """

    first: UUID
    second: UUID
    description: Text


class Resolve(Command, space=Space.BOARD, verb="resolve"):
    """End a contradiction, once, and record how."""

    contradiction: UUID
    how: Text
    kept: UUID | None = None
    """The finding that holds, which refutes the other one; both stand if absent."""


class BoardContradiction(Answer):
    """One contradiction."""

    id: UUID
    description: str
    author: str
    findings: tuple[UUID, UUID]
    resolved: bool
    how: str | None
    resolved_by: str | None
    resolved_at: datetime | None
    kept: UUID | None
