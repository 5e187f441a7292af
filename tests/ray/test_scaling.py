"""Hosts come and go while a swarm runs: nothing acknowledged is lost, repeated or reordered."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import ray

from pinak_ray import AgentHandle, Swarm
from pinak_ray.actors.host import AgentHost
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health, scale
from pinak_ray.records.errors import StaleEpoch, WrongShard
from pinak_ray.records.operations import Note, Recollect
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.topology import Placement
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.placement import store_placement
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

AGENTS = 24
ADA = Owner(7, Space.AGENT, "ada")


@pytest.fixture
def scaled_back(stack_settings: Settings) -> Iterator[None]:
    """Leave as many hosts behind as there were."""
    yield
    scale(stack_settings, stack_settings.hosts)


@asynccontextmanager
async def counting(swarm: Swarm) -> AsyncIterator[list[int]]:
    """Let agents count, three notes at once and a post, until the block ends; check each step."""
    steps = [0] * AGENTS
    stopping = asyncio.Event()

    async def count(agent: AgentHandle, index: int) -> None:
        while not stopping.is_set():
            first = steps[index] * 3
            *notes, _ = await asyncio.gather(
                *(agent.note("count", first + i) for i in (1, 2, 3)),
                agent.scratchpad.post(f"step {steps[index]}"),
            )
            assert [note.version for note in notes] == [first + 1, first + 2, first + 3]
            steps[index] += 1

    async with asyncio.TaskGroup() as group:
        for index in range(AGENTS):
            group.create_task(count(swarm.agent(f"counter-{index}"), index))
        yield steps
        stopping.set()
    for index in range(AGENTS):
        agent = swarm.agent(f"counter-{index}")
        (item,) = await agent.recollect("count")
        entries = await agent.scratchpad.read(limit=1000)
        assert (item.value, item.version) == (steps[index] * 3, steps[index] * 3)
        assert [e.content for e in entries] == [f"step {i}" for i in range(steps[index])]


async def all_move_on(steps: list[int]) -> None:
    """Return when every agent has made two more steps."""
    goal = [step + 2 for step in steps]
    await until(
        lambda: all(s >= g for s, g in zip(steps, goal, strict=True)),
        what="every agent goes on",
        deadline_s=60,
    )


@pytest.mark.usefixtures("scaled_back")
async def test_a_swarm_works_on_while_hosts_are_added_and_removed(
    swarm: Swarm, stack_settings: Settings
) -> None:
    """Each agent's versions rise by one with each note, in the order issued, through every move."""
    async with counting(swarm) as steps:
        await all_move_on(steps)
        for hosts in (4, 1, stack_settings.hosts):
            placement = await asyncio.to_thread(scale, stack_settings, hosts)
            assert len(placement.hosts) == hosts
            await all_move_on(steps)
    parts = await asyncio.to_thread(health, stack_settings)
    figures = {name: part for name, part in parts.items() if name.startswith("host-")}

    assert len(figures) == stack_settings.hosts
    assert sum(part["shards"] for part in figures.values()) == 256


async def test_an_agent_may_have_a_host_of_its_own(swarm: Swarm, stack_settings: Settings) -> None:
    """It moves to an actor that holds it alone, and back, with what it knows."""
    agent = swarm.agent("loner")
    await agent.note("plan", 1)
    await agent.dedicate()
    parts = await asyncio.to_thread(health, stack_settings)
    own = [part for name, part in parts.items() if name.startswith("dedicated-")]
    second = await agent.note("plan", 2)
    await agent.dedicate(dedicated=False)
    third = await agent.note("plan", 3)
    after = await asyncio.to_thread(health, stack_settings)

    assert [part["shards"] for part in own] == [1]
    assert (second.version, third.version) == (2, 3)
    assert not [name for name in after if name.startswith("dedicated-")]


async def test_calls_sent_alone_keep_their_order(swarm: Swarm) -> None:
    """`.remote()` is one Ray call each, which Ray's async actors mix; the host sorts them out."""
    for name in ("sender", "other"):  # the first calls meet an agent that is still being loaded
        agent = swarm.agent(name)
        refs = [agent.note.remote("n", number) for number in range(300)]
        receipts = await asyncio.gather(*(asyncio.wrap_future(ref.future()) for ref in refs))

        assert [receipt.version for receipt in receipts] == list(range(1, 301))


async def a_started_host(config: StackConfig, name: str) -> tuple[Any, int]:
    """Start a real host process that takes its shards; return its handle and process id."""
    actor_class: Any = ray.remote(AgentHost)
    host = actor_class.options(num_cpus=0, max_concurrency=100).remote(config, name)
    return host, (await host.ping.remote())["pid"]


def a_note(value: bytes) -> Note:
    """Return a note of Ada's."""
    return Note(ADA, "plan", value, uuid4())


@pytest.mark.usefixtures("swarm")  # Ray is up
async def test_a_host_that_was_paused_and_replaced_cannot_write(
    dsn: str, stack_settings: Settings
) -> None:
    """SIGSTOP, a new host takes over, SIGCONT: neither a call in flight nor a new one gets in."""
    config = StackConfig(dsn, stack_settings.embedder_spec())
    async with await Database.open(dsn) as database:
        await store_placement(database, Placement(1, ("host-a",)))
        zombie, pid = await a_started_host(config, "host-a")
        await zombie.apply.remote([a_note(b"1")])
        os.kill(pid, signal.SIGSTOP)
        try:
            in_flight = zombie.apply.remote([a_note(b'"zombie"')])
            await store_placement(database, Placement(2, ("host-b",)))
            heir, _ = await a_started_host(config, "host-b")
            (written,) = await heir.apply.remote([a_note(b"2")])
        finally:
            os.kill(pid, signal.SIGCONT)
        (late,) = await in_flight
        (again,) = await zombie.apply.remote([a_note(b'"zombie"')])
        ((item,),) = await heir.apply.remote([Recollect(ADA)])
        for host in (zombie, heir):
            await host.drain.remote()
            ray.kill(host)

    assert (StaleEpoch, WrongShard) == (type(late), type(again))
    assert (written, item.encoded, item.version) == (2, b"2", 2)
