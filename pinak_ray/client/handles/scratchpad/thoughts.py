"""The verbs for the reasoning graph."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pinak_ray.client.elaboration import Move, Thinker, elaborate
from pinak_ray.client.handles.scratchpad.base import ScratchpadBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.scratchpad.thoughts import (
    Convergence,
    ConvergentAnswer,
    EdgeKind,
    PrunedAnswer,
    PruneThoughts,
    Think,
    Thoughts,
    ThoughtsAnswer,
    ThoughtType,
    Verification,
    VerifyReasoning,
)

__all__ = ["ThoughtVerbs"]


@dataclass(frozen=True, slots=True, repr=False)
class ThoughtVerbs(ScratchpadBase):
    """Thoughts, and what they amount to."""

    @verb
    def think(
        self,
        content: str,
        *,
        type: ThoughtType | str = ThoughtType.HYPOTHESIS,
        edges: Iterable[tuple[EdgeKind | str, UUID]] = (),
        score: float = 0.5,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Add a thought; `edges=[("supports", id)]` say what it is to others; returns a Receipt.

        Raises NotFound for an unknown id, and Conflict where reasoning would go in a circle.
        """
        return self._execute(
            Think, idempotency_key, ack, content=content, type=type, score=score,
            edges=tuple({"kind": kind, "to": to} for kind, to in edges),
        )  # fmt: skip

    @verb
    def prune_thoughts(
        self,
        min_score: float,
        *,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[PrunedAnswer]:
        """Mark the thoughts whose confidence is below this; returns all that are pruned now."""
        return self._execute(PruneThoughts, idempotency_key, ack, min_score=min_score)

    @verb
    def thoughts(
        self,
        ids: Iterable[UUID] = (),
        *,
        type: str | None = None,
        pruned: bool = False,
        skip: int = 0,
    ) -> Query[ThoughtsAnswer]:
        """Read nodes of the graph: thoughts, steps and observations, with their confidence."""
        return self._query(Thoughts, id=tuple(ids), type=type, pruned=pruned, skip=skip)

    @verb
    def verify_reasoning(self, *, skip: int = 0) -> Query[Verification]:
        """Name the conclusions whose premises are missing, low or contradicted."""
        return self._query(VerifyReasoning, skip=skip)

    @verb
    def convergent_answer(self, *, skip: int = 0) -> Query[Convergence]:
        """Read the conclusion with the most support, and the path to it."""
        return self._query(ConvergentAnswer, skip=skip)

    async def elaborate(
        self, move: Move | str, thoughts: Iterable[UUID], *, by: Thinker
    ) -> tuple[Receipt, ...]:
        """Let a model go on from these thoughts, and add what it says; see `Thinker`."""
        return await elaborate(self, Move(move), tuple(thoughts), by)
