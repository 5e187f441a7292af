"""The demo from beginning to end."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray

from pinak_ray.cli.demo.agents import NOTES, Attempt, Noted, attempt, load, take_notes
from pinak_ray.cli.demo.crash import Crash, kill_host
from pinak_ray.cli.demo.evidence import Evidence
from pinak_ray.cli.demo.result import Result
from pinak_ray.cli.demo.scenario import AGENTS, agent_name, incidents, intentions, share
from pinak_ray.client.connection import connect
from pinak_ray.client.handles import AgentHandle
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.state.owners import Owner, Space

__all__ = ["PROJECT", "run_demo"]

PROJECT = "demo"

_PHASE_TIMEOUT_S = 180.0
# Each running task is a process that takes a second of a core to start.
_AT_ONCE = 6


def run_demo(home: Path, dsn: str, *, progress: Callable[[str], None]) -> Result:
    """Run the demo on the running stack; blocking. Raises NotRunning, Unavailable."""
    began = time.monotonic()
    progress("joining Ray")
    swarm = connect(home=home, project=PROJECT)
    evidence = Evidence(dsn, swarm.namespace_id)
    agents = [swarm.agent(agent_name(index)) for index in range(AGENTS)]
    all_incidents, all_intentions = incidents(), intentions()
    run = f"run-{uuid4().hex[:8]}"

    progress(f"{AGENTS} agents remember {len(all_incidents)} outages")
    loaded = _all(load, [(agent, share(all_incidents, i)) for i, agent in enumerate(agents)])
    progress(f"{AGENTS} agents take notes; one host is killed meanwhile")
    noted, crash = _notes_and_crash(swarm, agents, run, evidence)
    progress("waiting until every memory is searchable")
    evidence.await_searchable(loaded)
    progress(f"{AGENTS} agents attempt {len(all_intentions)} actions")
    # One at a time on each core: more of them would measure each other's waiting.
    attempts = _all(
        attempt, [(one, share(all_intentions, i)) for i, one in enumerate(agents)], at_once=_cores()
    )
    progress("counting in PostgreSQL")
    return Result(
        agents=AGENTS,
        new_memories=sum(one.new for one in loaded),
        memories=evidence.memories(loaded),
        notes=evidence.notes(run, noted),
        posts=evidence.posts(run, noted),
        unread=_unread(agents, noted),
        refused=sum(one.refused for one in noted),
        longest_note_s=max(one.longest_s for one in noted),
        crash=crash,
        attempts=_flat(attempts),
        incident_of={memory: name for one in loaded for name, memory in one.ids.items()},
        seconds=time.monotonic() - began,
    )


def _notes_and_crash(
    swarm: Swarm, agents: Sequence[AgentHandle], run: str, evidence: Evidence
) -> tuple[list[Noted], Crash]:
    """Kill the first agent's host when the first agents are in the middle of their notes."""
    refs = _start(take_notes, [(agent, run) for agent in agents])
    evidence.await_notes(run, _AT_ONCE * NOTES // 2)
    transport = swarm.transport
    assert isinstance(transport, RayTransport)
    owner = Owner(swarm.namespace_id, Space.AGENT, agents[0].name)
    crash = kill_host(transport.topology.placement.host_of(owner))
    return ray.get(refs, timeout=_PHASE_TIMEOUT_S), crash


def _unread(agents: Sequence[AgentHandle], noted: Sequence[Noted]) -> int:
    """Read every acknowledged note through its agent's handle; return how many it does not show."""

    async def work() -> int:
        shown = await asyncio.gather(*(agent.recollect() for agent in agents))
        held = {
            (agent.name, item.key): item.value
            for agent, items in zip(agents, shown, strict=True)
            for item in items
        }
        return sum(
            held.get((one.agent, key)) != {"step": step}
            for one in noted
            for key, step in one.notes.items()
        )

    return asyncio.run(work())


def _all(task: Any, calls: Sequence[tuple[Any, ...]], *, at_once: int = _AT_ONCE) -> list[Any]:
    results: list[Any] = ray.get(_start(task, calls, at_once=at_once), timeout=_PHASE_TIMEOUT_S)
    return results


def _start(task: Any, calls: Sequence[tuple[Any, ...]], *, at_once: int = _AT_ONCE) -> list[Any]:
    cpus = float(ray.cluster_resources().get("CPU", 1.0))
    one = task.options(num_cpus=round(cpus / at_once, 4))
    return [one.remote(*call) for call in calls]


def _cores() -> int:
    # Ray may have been told of more cores than there are.
    return max(1, min(_AT_ONCE, (os.cpu_count() or 1)))


def _flat(attempts: Sequence[list[Attempt]]) -> list[Attempt]:
    return [one for group in attempts for one in group]
