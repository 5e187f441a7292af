"""The client's batcher: order, bounds, and each result to its own caller."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pinak_ray.concurrency.batching import Batcher
from pinak_ray.records.errors import InvalidInput, Overloaded, Unavailable
from tests.support.waiting import until


@dataclass
class Wire:
    """Carries batches while it is open; an item that is an error comes back as its own result."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[Any]] = field(default_factory=list)
    failure: Exception | None = None

    async def carry(self, batch: Sequence[Any]) -> Sequence[Any]:
        self.batches.append(list(batch))
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return [item if isinstance(item, Exception) else f"did {item}" for item in batch]


@pytest.fixture
def wire() -> Wire:
    """A wire that carries at once."""
    wire = Wire()
    wire.open.set()
    return wire


async def test_what_is_asked_in_one_turn_shares_a_batch(wire: Wire) -> None:
    """Items put before the loop turns leave together, and each future gets its own result."""
    batcher = Batcher(wire.carry, max_batch=10)
    results = await asyncio.gather(*(batcher.put(item) for item in "abc"))

    assert (results, wire.batches) == (["did a", "did b", "did c"], [["a", "b", "c"]])


async def test_one_in_flight_keeps_the_order(wire: Wire) -> None:
    """While a batch is on its way the next items wait, and arrive in the order put."""
    wire.open.clear()
    batcher = Batcher(wire.carry, max_batch=4)
    futures = [batcher.put(0)]
    await until(lambda: wire.batches, what="the first batch is on its way")
    futures += [batcher.put(index) for index in range(1, 10)]
    await asyncio.sleep(0)
    assert wire.batches == [[0]]
    wire.open.set()
    await asyncio.gather(*futures)

    assert wire.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


async def test_no_more_batches_are_in_flight_than_allowed(wire: Wire) -> None:
    """Several batches may travel at once, up to the limit."""
    wire.open.clear()
    batcher = Batcher(wire.carry, max_batch=1, max_in_flight=3)
    futures = [batcher.put(index) for index in range(5)]
    await until(lambda: len(wire.batches) == 3, what="three are on their way")
    await asyncio.sleep(0)
    assert len(wire.batches) == 3
    wire.open.set()

    assert await asyncio.gather(*futures) == [f"did {index}" for index in range(5)]


async def test_a_full_queue_refuses_and_forgets_the_item(wire: Wire) -> None:
    """At capacity put raises Overloaded; once there is room it takes items again."""
    batcher = Batcher(wire.carry, max_batch=10, capacity=2)
    futures = [batcher.put("a"), batcher.put("b")]
    with pytest.raises(Overloaded, match="2 operations wait"):
        batcher.put("c")
    await asyncio.gather(*futures)

    assert await batcher.put("d") == "did d"
    assert wire.batches == [["a", "b"], ["d"]]


async def test_large_items_fill_the_queue_before_their_number_does(wire: Wire) -> None:
    """The bytes that wait are bounded; one item alone is never too large, and room comes back."""
    batcher = Batcher(wire.carry, max_batch=10, capacity_bytes=10, size_of=len)
    futures = [batcher.put("x" * 12)]
    with pytest.raises(Overloaded, match="12 bytes wait"):
        batcher.put("y")
    assert batcher.depth == 1
    await asyncio.gather(*futures)

    assert await asyncio.gather(batcher.put("a" * 5), batcher.put("b" * 5))
    assert batcher.depth == 0


async def test_an_error_goes_to_the_right_future(wire: Wire) -> None:
    """A refused item raises in its own caller only."""
    batcher = Batcher(wire.carry, max_batch=10)
    futures = [batcher.put("a"), batcher.put(InvalidInput("bad")), batcher.put("b")]
    results = await asyncio.gather(*futures, return_exceptions=True)

    assert [results[0], results[2]] == ["did a", "did b"]
    assert (InvalidInput, ("bad",)) == (type(results[1]), results[1].args)


async def test_a_lost_batch_fails_all_of_it_and_nothing_else(wire: Wire) -> None:
    """When carrying fails every caller of that batch hears so, and the next batch travels."""
    wire.failure = Unavailable("gone")
    batcher = Batcher(wire.carry, max_batch=2)
    lost = await asyncio.gather(batcher.put("a"), batcher.put("b"), return_exceptions=True)
    wire.failure = None

    assert [Unavailable, Unavailable] == [type(error) for error in lost]
    assert await batcher.put("c") == "did c"


@pytest.mark.parametrize("moment", ["waiting", "in flight"])
async def test_a_cancelled_caller_harms_nobody(wire: Wire, moment: str) -> None:
    """Whether its item waits or travels: the others of its batch get their results."""
    wire.open.clear()
    batcher = Batcher(wire.carry, max_batch=10)
    futures = [batcher.put(item) for item in "abc"]
    if moment == "in flight":
        await until(lambda: wire.batches, what="the batch is on its way")
    futures[1].cancel()
    wire.open.set()

    assert await asyncio.gather(futures[0], futures[2]) == ["did a", "did c"]
    assert wire.batches == [["a", "b", "c"]]


async def test_a_short_answer_fails_instead_of_hanging() -> None:
    """A carrier that loses results fails the whole batch: nobody waits for ever."""

    async def forgetful(batch: Sequence[Any]) -> Sequence[Any]:
        return batch[:-1]

    batcher = Batcher(forgetful, max_batch=10)
    async with asyncio.timeout(30):
        lost = await asyncio.gather(batcher.put("a"), batcher.put("b"), return_exceptions=True)

    assert [RuntimeError, RuntimeError] == [type(error) for error in lost]
