"""Suspicions: findings of one question that seem to contradict each other; nobody has said so."""

from uuid import UUID

from pinak_ray.records.commands import Answer
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.wiring import Operation, Place, wired

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


@wired(Place.COMPOSED, "GET /v1/boards/{board}/suspected")
class Suspect(Operation[SuspectedAnswer], frozen=True):
    """Compare the findings of one question, or of each."""

    owner: Owner
    question: UUID | None = None
