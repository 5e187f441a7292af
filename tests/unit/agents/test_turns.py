"""Calls that were sent alone begin in the order they were sent."""

import asyncio
import random
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.agents.turns import Turns
from pinak_ray.records.operations import Origin

LANE = UUID(int=1)


async def begun(order: list[int], *, lost: frozenset[int] = frozenset()) -> list[int]:
    """Let calls arrive in this order and return in which they began."""
    turns, began = Turns(), []

    async def call(number: int) -> None:
        await turns.wait(Origin(LANE, number))
        began.append(number)
        turns.done(Origin(LANE, number))

    await asyncio.gather(*(call(number) for number in order if number not in lost))
    return began


@given(st.permutations(range(1, 9)))
def test_whatever_the_order_of_arrival(order: list[int]) -> None:
    """All arrive sooner or later; they begin as they were numbered."""
    assert asyncio.run(begun(order)) == sorted(order)


def test_a_call_that_never_comes_holds_nobody_up_for_long() -> None:
    """Its followers go on after a moment, still in their order."""
    order = list(range(1, 9))
    random.Random(7).shuffle(order)

    assert asyncio.run(begun(order, lost=frozenset([3]))) == [1, 2, 4, 5, 6, 7, 8]


async def test_lanes_do_not_wait_for_each_other() -> None:
    """Each caller has its own numbers; a lane that is met in the middle goes on from there."""
    turns = Turns()
    async with asyncio.timeout(60):
        await asyncio.gather(*(turns.wait(Origin(uuid4(), 17)) for _ in range(3)))
