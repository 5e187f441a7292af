"""The seam for models in the reasoning graph: four moves, none of which is made without a model."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.scratchpad.thoughts import EdgeKind, Thought, ThoughtsAnswer, ThoughtType

__all__ = ["Elaborated", "Move", "Thinker", "elaborate"]


class Move(StrEnum):
    """What a model is asked to do with thoughts."""

    BRANCH = "branch"
    """To think of several things that may follow."""
    AGGREGATE = "aggregate"
    """To say what they amount to together."""
    CRITIQUE = "critique"
    """To say what is wrong with them."""
    REFINE = "refine"
    """To say them better."""


class Elaborated(NamedTuple):
    """One thing that a model said, and how sure it is, from 0 to 1."""

    content: str
    score: float


class Thinker(Protocol):
    """A model, as far as the reasoning graph uses one; pinak-ray brings none."""

    async def __call__(self, move: Move, thoughts: Sequence[Thought]) -> Sequence[Elaborated]:
        """Return what this move makes of these thoughts."""
        ...


class _Scratchpad(Protocol):
    @property
    def thoughts(self) -> Callable[[Sequence[UUID]], Awaitable[ThoughtsAnswer]]: ...
    @property
    def think(self) -> Callable[..., Awaitable[Receipt]]: ...


# What a move makes, and what that is to the thoughts that it was made of.
_MADE: dict[Move, tuple[ThoughtType, EdgeKind]] = {
    Move.BRANCH: (ThoughtType.HYPOTHESIS, EdgeKind.DERIVES_FROM),
    Move.AGGREGATE: (ThoughtType.AGGREGATE, EdgeKind.AGGREGATES),
    Move.CRITIQUE: (ThoughtType.CRITIQUE, EdgeKind.CRITIQUES),
    Move.REFINE: (ThoughtType.REFINEMENT, EdgeKind.REFINES),
}


async def elaborate(
    pad: _Scratchpad, move: Move, ids: Sequence[UUID], thinker: Thinker
) -> tuple[Receipt, ...]:
    """Let the model make a move, and add each thing that it says; returns their receipts.

    Raises InvalidInput without thoughts, and NotFound when one of them is unknown or pruned.
    """
    if not ids:
        raise InvalidInput("name at least one thought to go on from")
    thoughts = (await pad.thoughts(ids)).thoughts
    if missing := set(ids) - {thought.id for thought in thoughts}:
        raise NotFound(f"there is no thought {min(missing)} here, or it is pruned")
    type_, edge = _MADE[move]
    edges: list[tuple[Any, UUID]] = [(edge, thought.id) for thought in thoughts]
    said = await thinker(move, thoughts)
    return tuple(
        [await pad.think(each.content, type=type_, edges=edges, score=each.score) for each in said]
    )
