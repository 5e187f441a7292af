"""Watchers over crashes and moves of hosts, and what is left of those that die."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
import ray

from pinak_ray import Swarm
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.watch import Watcher
from pinak_ray.records.state.owners import Entry, Owner, Space
from tests.ray.test_crashes import actor, kill
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

_POSTERS = 4


def host_of(swarm: Swarm, owner: Owner) -> str:
    """Return the name of the owner's host."""
    assert isinstance(swarm.transport, RayTransport)
    return swarm.transport.topology.placement.host_of(owner)


async def waiting_on(host: str) -> int:
    """Return how many watchers wait on this host."""
    return int((await actor(host).ping.remote())["watchers"])


async def test_nothing_is_missed_when_the_host_is_killed(swarm: Swarm) -> None:
    """Two watchers see every acknowledged entry in order, though kill -9 comes in the middle."""
    board = swarm.board("plan")
    acknowledged: list[Any] = []
    stopping = asyncio.Event()

    async def post(author: str) -> None:
        step = 0
        while not stopping.is_set():
            acknowledged.append((await board.post(f"{author} {step}", author=author)).id)
            step += 1

    seen: dict[str, list[Any]] = {"near": [], "last": []}

    async def follow(watcher: Watcher, what: str) -> None:
        async for entry in watcher:
            seen[what].append(entry)

    watchers = [
        asyncio.create_task(follow(board.watch(), "near")),
        asyncio.create_task(follow(board.watch(kinds=["finding"], limit=7), "last")),
    ]
    posters = [asyncio.create_task(post(f"author-{n}")) for n in range(_POSTERS)]
    await until(lambda: len(acknowledged) > 20, what="the load runs")
    await kill(host_of(swarm, Owner(swarm.namespace_id, Space.BOARD, "plan")))
    before = len(acknowledged)
    await until(lambda: len(acknowledged) > before + 20, what="writes go on")
    stopping.set()
    await asyncio.gather(*posters)
    for entries in seen.values():
        await until(
            lambda entries=entries: set(acknowledged) <= {entry.id for entry in entries},
            what="every acknowledged entry was seen",
        )
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)

    for entries in seen.values():
        seqs = [entry.seq for entry in entries]
        assert seqs == sorted(set(seqs))
        for author in range(_POSTERS):
            own = [entry.content for entry in entries if entry.author == f"author-{author}"]
            assert own == [f"author-{author} {step}" for step in range(len(own))]


async def test_a_watcher_follows_an_agent_that_moves(swarm: Swarm) -> None:
    """It waits at the old host when the agent goes to a host of its own, and hears it there."""
    ada = swarm.agent("ada")
    host = host_of(swarm, Owner(swarm.namespace_id, Space.AGENT, "ada"))
    before = await waiting_on(host)
    waiting = asyncio.ensure_future(anext(ada.watch()))

    async def it_waits() -> bool:
        return await waiting_on(host) > before

    await until(it_waits, what="it waits at the old host")
    await ada.dedicate()
    await ada.scratchpad.post("moved")
    try:
        async with asyncio.timeout(60):
            assert (await waiting).content == "moved"
    finally:
        await ada.dedicate(False)


async def test_no_watcher_outlives_its_consumer(swarm: Swarm) -> None:
    """One that is cancelled leaves at once; one whose process is killed, when its wait is over."""
    board = swarm.board("quiet")
    host = host_of(swarm, Owner(swarm.namespace_id, Space.BOARD, "quiet"))
    before = await waiting_on(host)

    async def waiting() -> int:
        return await waiting_on(host) - before

    async def has(count: int) -> bool:
        return await waiting() == count

    consumer = asyncio.ensure_future(anext(board.watch()))
    await until(lambda: has(1), what="it waits")
    consumer.cancel()
    with suppress(asyncio.CancelledError):
        await consumer
    await until(lambda: has(0), what="the cancelled one is gone")

    dying = Consumer.remote(board)
    dying.consume.remote()
    await until(lambda: has(1), what="the other process waits")
    ray.kill(dying)
    await until(lambda: has(0), what="the killed one is gone")


async def test_watchers_at_one_place_share_a_poll(swarm: Swarm) -> None:
    """In one process they cost the host one wait, which lasts as long as any of them waits."""
    board = swarm.board("crowded")
    host = host_of(swarm, Owner(swarm.namespace_id, Space.BOARD, "crowded"))
    before = await waiting_on(host)

    async def has(count: int) -> bool:
        return await waiting_on(host) - before == count

    watchers = [board.watch() for _ in range(8)]
    waiting = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
    await until(lambda: has(1), what="they wait as one")
    waiting[0].cancel()
    await board.post("one", author="ada")
    heard = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in heard] == [asyncio.CancelledError] + [Entry] * 7

    waiting = [asyncio.ensure_future(anext(watcher)) for watcher in watchers[1:]]
    await until(lambda: has(1), what="they wait for the next as one")
    for each in waiting:
        each.cancel()
    await until(lambda: has(0), what="none is left")


async def test_a_page_can_be_asked_for_by_reference(swarm: Swarm) -> None:
    """`watch.remote()` is one long poll, for tasks that have no event loop."""
    board = swarm.board("plan")
    page = board.watch.remote(wait_s=10)
    await board.post("one", author="ada")
    answer = await page

    assert ([entry.content for entry in answer.entries], answer.cursor) == (["one"], 1)


@ray.remote(num_cpus=0)
class Consumer:
    """A process that watches a board."""

    def __init__(self, board: Any) -> None:
        self._board = board

    async def consume(self) -> None:
        """Wait for an entry that never comes."""
        await anext(self._board.watch())
