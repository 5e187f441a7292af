"""Suspicions: findings of one question that seem to contradict each other; nobody has said so."""

from typing import NamedTuple
from uuid import UUID

from pinak_ray.records.commands import Answer
from pinak_ray.records.operations import Operation
from pinak_ray.records.state import Owner

__all__ = ["Suspect", "SuspectedAnswer", "Suspicion"]


class Suspicion(Answer):
    """Two findings and what differs in them, to be given to `contradict`, or not."""

    question: UUID
    findings: tuple[UUID, UUID]
    description: str


class SuspectedAnswer(Answer):
    """Suspicions, those between the newest findings first; `left_out` pairs were not compared."""

    suspicions: tuple[Suspicion, ...]
    left_out: int


class _Suspect(NamedTuple):
    owner: Owner
    question: UUID | None = None


class Suspect(_Suspect, Operation[SuspectedAnswer]):
    """Compare the findings of one question, or of each."""

    __slots__ = ()
