"""Watcher, the iterator: it pulls, it remembers how far it came, and it closes."""

import asyncio

import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.testing import LocalSwarm
from pinak_ray.testing.transport import LocalTransport
from tests.support.waiting import until


def parked(swarm: LocalSwarm) -> int:
    """Return how many watchers wait on the twin's host."""
    assert isinstance(swarm.transport, LocalTransport)
    return swarm.transport._host.watchers.parked


async def test_the_cursor_lags_one_entry_behind() -> None:
    """An entry counts as taken when the next is asked for: a crash over one repeats it."""
    async with LocalSwarm() as swarm:
        board = swarm.board("plan")
        for n in range(3):
            await board.post(f"{n}", author="ada")
        watcher = board.watch(limit=2)
        seen = []
        async for entry in watcher:
            seen.append((entry.content, watcher.cursor))
            if len(seen) == 3:
                break
        resumed = await anext(board.watch(after=watcher.cursor))

    assert seen == [("0", 0), ("1", 1), ("2", 2)]
    assert resumed.content == "2"


async def test_what_did_not_match_is_not_looked_at_again() -> None:
    """An empty page moves the cursor on."""
    async with LocalSwarm() as swarm:
        board = swarm.board("plan")
        for n in range(3):
            await board.post(f"{n}", author="ada")
        watcher = board.watch(authors=["bob"], wait_s=0.01)
        waiting = asyncio.ensure_future(anext(watcher))
        await until(lambda: watcher.cursor == 3, what="the cursor is past the others' entries")
        await board.post("mine", author="bob")

        assert (await waiting).content == "mine"


@pytest.mark.parametrize("how", ["closed", "cancelled"])
async def test_nothing_waits_for_a_watcher_that_is_gone(how: str) -> None:
    """Its poll ends with it: a closed one hears the end, a cancelled one its cancellation."""
    async with LocalSwarm() as swarm:
        watcher = swarm.agent("ada").watch()
        waiting = asyncio.ensure_future(anext(watcher))
        await until(lambda: parked(swarm) == 1, what="it waits")
        if how == "closed":
            async with watcher:
                pass
        else:
            waiting.cancel()
        with pytest.raises(StopAsyncIteration if how == "closed" else asyncio.CancelledError):
            await waiting
        await until(lambda: parked(swarm) == 0, what="nothing is left of it")


async def test_a_consumer_that_does_not_take_holds_nothing() -> None:
    """Between two entries there is no poll: the watcher pulls, the host keeps no queue for it."""
    async with LocalSwarm() as swarm:
        board = swarm.board("plan")
        await board.post("one", author="ada")
        watcher = board.watch(limit=1)
        await anext(watcher)
        for n in range(100):
            await board.post(f"{n}", author="ada")

        assert parked(swarm) == 0
        assert len(watcher._ahead) == 0
        assert (await anext(watcher)).content == "0"


async def test_bad_arguments_are_refused_before_anything_is_sent() -> None:
    """Each is InvalidInput, at the call."""
    async with LocalSwarm() as swarm:
        board = swarm.board("plan")
        for bad in (
            {"after": -1},
            {"kinds": ["rumour"]},
            {"prefix": ""},
            {"limit": 0},
            {"wait_s": 21},
        ):
            with pytest.raises(InvalidInput):
                board.watch(**bad)
