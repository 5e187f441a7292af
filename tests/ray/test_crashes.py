"""kill -9 under load: every acknowledged write is there, once, and new ones go on."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import ray

from pinak_ray import AgentHandle, Swarm
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

WORKERS = 8


@dataclass
class Load:
    """Agents that write without a pause and keep what was acknowledged."""

    swarm: Swarm
    stopping: bool = False
    memories: dict[UUID, str] = field(default_factory=dict)
    steps: Counter[str] = field(default_factory=Counter)
    _tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    def start(self) -> None:
        """Let every agent begin."""
        agents = [self.swarm.agent(f"worker-{i}") for i in range(WORKERS)]
        self._tasks = [asyncio.create_task(self._work(agent)) for agent in agents]

    async def stop(self) -> None:
        """Let every agent finish its step; raises what any of them met."""
        self.stopping = True
        await asyncio.gather(*self._tasks)

    async def progress(self, steps: int, what: str) -> None:
        """Return when every agent is that many steps further."""
        goal = {f"worker-{i}": self.steps[f"worker-{i}"] + steps for i in range(WORKERS)}
        await until(lambda: self._reached(goal), what=what, deadline_s=90)

    def _reached(self, goal: dict[str, int]) -> bool:
        for task in self._tasks:
            if task.done():
                task.result()
        return all(self.steps[name] >= steps for name, steps in goal.items())

    async def _work(self, agent: AgentHandle) -> None:
        while not self.stopping:
            step = self.steps[agent.name] + 1
            content = f"{agent.name} did step {step}"
            memory, note, _ = await asyncio.gather(
                agent.remember(content), agent.note("step", step), agent.scratchpad.post(content)
            )
            # Each note is applied once, so the version counts the steps.
            assert step == note.version
            self.memories[memory.id] = content
            self.steps[agent.name] = step


def actor(name: str) -> Any:
    """Return an actor of the stack."""
    return ray.get_actor(name, namespace=RAY_NAMESPACE)


async def pid_of(name: str) -> int | None:
    """Return the actor's process id, or None while it does not answer."""
    try:
        async with asyncio.timeout(10):
            return int((await actor(name).ping.remote())["pid"])
    except (ray.exceptions.RayError, TimeoutError):
        return None


async def kill(name: str) -> None:
    """Kill the actor's process; return when another one answers in its place."""
    pid = await pid_of(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        return await pid_of(name) not in (None, pid)

    await until(replaced, what=f"{name} is back", deadline_s=90)


def victim(swarm: Swarm, part: str) -> str:
    """Return the name of the part's actor; of the hosts, one that the load uses."""
    assert isinstance(swarm.transport, RayTransport)
    topology = swarm.transport.topology
    owner = Owner(swarm.namespace_id, Space.AGENT, "worker-0")
    return {
        "host": topology.placement.host_of(owner),
        "writer": topology.writers[0],
        "indexer": topology.indexers[0],
        "supervisor": SUPERVISOR,
    }[part]


async def check(load: Load, fetch: Any) -> None:
    """Compare what was acknowledged with what PostgreSQL holds."""
    namespace_id = load.swarm.namespace_id
    memories = await fetch(
        "SELECT id, content FROM pinak.memories WHERE namespace_id = $1", namespace_id
    )
    items = await fetch(
        "SELECT agent, value::text, version FROM pinak.working_items WHERE namespace_id = $1",
        namespace_id,
    )
    entries = await fetch(
        "SELECT owner, array_agg(content ORDER BY seq) AS contents FROM pinak.entries "
        "WHERE namespace_id = $1 GROUP BY owner",
        namespace_id,
    )
    steps = dict(load.steps)

    assert load.memories == {row["id"]: row["content"] for row in memories}
    assert len(set(load.memories.values())) == len(memories) == sum(steps.values())
    assert steps == {row["agent"]: int(row["value"]) for row in items}
    assert steps == {row["agent"]: row["version"] for row in items}
    assert {
        name: [f"{name} did step {step}" for step in range(1, count + 1)]
        for name, count in steps.items()
    } == {row["owner"]: row["contents"] for row in entries}


@pytest.mark.parametrize("part", ["host", "writer", "indexer", "supervisor"])
async def test_kill_9_loses_nothing_and_repeats_nothing(
    join: Callable[[str], Swarm], fetch: Any, part: str
) -> None:
    """Under a running load each part may be killed: writes go on, and the books agree."""
    load = Load(join(part))
    load.start()
    await load.progress(5, "the load runs")
    await kill(victim(load.swarm, part))
    # One step of each agent may have been acknowledged already; two more were begun afterwards.
    await load.progress(3, f"writes go on without the old {part}")
    await load.stop()

    await check(load, fetch)


async def test_a_killed_host_remembers(swarm: Swarm) -> None:
    """Working memory, scratchpad and board are there again in the new process, cursors too."""
    assert isinstance(swarm.transport, RayTransport)
    ada, board = swarm.agent("ada"), swarm.board("plan")
    await ada.note("plan", {"step": 1})
    await ada.note("plan", {"step": 2})
    await ada.scratchpad.post("looked at orders")
    await board.post("draft", author="ada", kind="public", key="plan")
    for name in swarm.transport.topology.placement.hosts:
        await kill(name)

    assert [(i.value, i.version) for i in await ada.recollect("plan")] == [({"step": 2}, 2)]
    assert [entry.content for entry in await ada.scratchpad.read()] == ["looked at orders"]
    assert (await ada.note("plan", {"step": 3}, expected_version=2)).version == 3
    await board.post("final", author="ada", kind="public", key="plan", expected_version=1)
    assert [(e.content, e.version, e.seq) for e in await board.read()] == [("final", 2, 2)]


async def test_a_killed_indexer_catches_up(swarm: Swarm, fetch: Any) -> None:
    """What was committed while no indexer lived gets its vectors from the next one."""
    ada = swarm.agent("ada")
    receipts = await asyncio.gather(*(ada.remember(f"fact number {i}") for i in range(50)))
    await kill(victim(swarm, "indexer"))

    async def indexed() -> bool:
        rows = await fetch(
            "SELECT memory_id FROM pinak.memory_vectors WHERE namespace_id = $1",
            swarm.namespace_id,
        )
        return {row["memory_id"] for row in rows} == {receipt.id for receipt in receipts}

    await until(indexed, what="every memory has its vector")
    (corpus,) = await fetch(
        "SELECT documents FROM pinak.corpus_stats WHERE namespace_id = $1", swarm.namespace_id
    )
    assert len(receipts) == corpus["documents"]


async def test_every_part_answers_after_the_crashes(stack_settings: Settings) -> None:
    """The supervisor brought everything back: no part reports an error."""

    async def healed() -> bool:
        parts = await asyncio.to_thread(health, stack_settings)
        return all("error" not in said for said in parts.values())

    await until(healed, what="every part answers")
