"""Watching, over each wire: what is committed comes once asked for, in order, from any cursor."""

import asyncio
from typing import Any

import pytest

from pinak_ray import InvalidInput, Swarm
from pinak_ray.client.watch import Watcher
from pinak_ray.records.state.owners import Entry
from tests.support.waiting import until

NAME = "team/ü 🦜"


async def take(watcher: Watcher, count: int) -> list[Entry]:
    """Return the next entries, waiting for them."""
    async with asyncio.timeout(60):
        return [await anext(watcher) for _ in range(count)]


def contents(entries: list[Entry]) -> list[str]:
    """Return what the entries say."""
    return [entry.content for entry in entries]


async def test_a_board_is_watched_while_it_is_written(swarm: Swarm) -> None:
    """Two watchers, one that waits and one that comes late, see every entry in its order."""
    board = swarm.board(NAME)
    waiting = asyncio.create_task(take(board.watch(), 10))
    receipts = [await board.post(f"{n}", author="ada", details={"n": n}) for n in range(10)]
    late = await take(board.watch(limit=3), 10)

    assert await waiting == late
    assert [entry.id for entry in late] == [receipt.id for receipt in receipts]
    assert [(f"{n}", n + 1, {"n": n}) for n in range(10)] == [
        (entry.content, entry.seq, entry.details) for entry in late
    ]


async def test_a_watcher_resumes_from_a_cursor(swarm: Swarm) -> None:
    """A new one after the old one's cursor goes on, and repeats at most what was in hand."""
    board = swarm.board(NAME)
    for n in range(6):
        await board.post(f"{n}", author="ada")
    first = board.watch(limit=2)
    seen = await take(first, 3)
    await first.aclose()
    resumed = await take(board.watch(after=first.cursor), 4)

    assert (contents(seen), first.cursor) == (["0", "1", "2"], 2)
    assert contents(resumed) == ["2", "3", "4", "5"]


async def test_filters_choose_what_is_watched(swarm: Swarm) -> None:
    """Kinds, authors, and the prefix of a public entry's key; each alone, and together."""
    board = swarm.board(NAME)
    await board.post("found", author="ada")
    await board.tell("told", author="bob")
    await board.post("draft", author=NAME, kind="public", key="plan/ü")
    await board.post("other", author=NAME, kind="public", key="other")
    filters: list[tuple[dict[str, Any], str]] = [
        ({"kinds": ["note", "public"]}, "told"),
        ({"authors": [NAME, "bob"]}, "told"),
        ({"prefix": "plan/"}, "draft"),
        ({"kinds": ["public"], "authors": [NAME], "prefix": "o"}, "other"),
    ]

    assert [expected for _, expected in filters] == [
        contents(await take(board.watch(**chosen), 1))[0] for chosen, _ in filters
    ]


async def test_a_replaced_entry_comes_again(swarm: Swarm) -> None:
    """Each change of a public entry is a new place in the order."""
    board = swarm.board("plan")
    watcher = board.watch(prefix="k")
    versions = []
    for n in range(3):
        await board.post(f"{n}", author="ada", kind="public", key="k")
        versions += [(e.content, e.version, e.seq) for e in await take(watcher, 1)]

    assert versions == [("0", 1, 1), ("1", 2, 2), ("2", 3, 3)]


async def test_an_agents_scratchpad_is_watched(swarm: Swarm) -> None:
    """Kinds of a scratchpad are chosen as those of a board are."""
    ada = swarm.agent(NAME)
    waiting = asyncio.create_task(take(ada.watch(kinds=["task"]), 1))
    await ada.scratchpad.post("saw it")
    await ada.scratchpad.post("do it", kind="task")

    assert contents(await waiting) == ["do it"]


async def test_an_empty_wait_ends_and_moves_the_cursor(swarm: Swarm) -> None:
    """Nothing that matched: the watcher asks again, past what it need not see."""
    board = swarm.board("plan")
    await board.post("0", author="ada")
    watcher = board.watch(authors=["bob"], wait_s=0.05)
    waiting = asyncio.create_task(take(watcher, 1))
    await until(lambda: watcher.cursor == 1, what="it has asked again")
    await board.post("1", author="bob")

    assert contents(await waiting) == ["1"]


@pytest.mark.parametrize("how", ["closed", "cancelled"])
async def test_a_watcher_ends_when_it_is_told_to(swarm: Swarm, how: str) -> None:
    """Closed it says that it is over; cancelled its caller is; both at once, not after the wait."""
    watcher = swarm.board("plan").watch()
    waiting = asyncio.create_task(take(watcher, 1))
    await asyncio.sleep(0)  # it has asked for its first page
    async with asyncio.timeout(10):
        if how == "closed":
            await watcher.aclose()
            with pytest.raises(StopAsyncIteration):
                await watcher.__anext__()
        waiting.cancel()
        with pytest.raises((asyncio.CancelledError, StopAsyncIteration)):
            await waiting


async def test_only_pinak_ray_posts_nudges(swarm: Swarm) -> None:
    """A caller's is InvalidInput, on each wire."""
    with pytest.raises(InvalidInput, match="nudge"):
        await swarm.agent("ada").scratchpad.post("boo", kind="nudge")


async def test_an_agent_hears_of_a_failure_that_bears_on_its_intent(swarm: Swarm) -> None:
    """Also of one that is recorded after it intended; its author does not, nor who does other."""
    ada, bob, eve = swarm.agent("ada"), swarm.agent(NAME), swarm.agent("eve")
    assert await bob.intend("deploy billing with migration 42", tool="kubectl") == ()
    assert await ada.intend("deploy billing with migration 42") == ()
    assert await eve.intend("read the README") == ()
    watcher = bob.watch(kinds=["nudge"])
    text = "deploying billing failed: migration 42 locks the orders table"
    waiting = asyncio.create_task(take(watcher, 1))
    receipt = await ada.remember(text, outcome="failure", ack="searchable")
    (nudge,) = await waiting

    assert nudge.content == f"This failed before: {text}"
    assert nudge.details["evidence"] == [str(receipt.id)]
    assert (nudge.details["kind"], nudge.details["agent"]) == ("failure", "ada")
    assert nudge.details["intent"] == "deploy billing with migration 42"
    assert {"strength", "reason", "score", "nudge_id"} <= nudge.details.keys()
    assert (await bob.feedback(nudge.details["nudge_id"], "useful")).new
    assert await bob.intend("deploy billing with migration 42", tool="kubectl") == ()
    for other in (ada, eve):
        assert await other.scratchpad.read(kinds=["nudge"]) == ()
