"""The agents: Ray tasks, each with its own handle, that report what was acknowledged to them."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import ray

from pinak_ray.cli.demo.scenario import Incident, Intention
from pinak_ray.client.handles import AgentHandle
from pinak_ray.records.errors import PinakError
from pinak_ray.records.memory.nudges import Nudge

__all__ = ["NOTES", "Attempt", "Loaded", "Noted", "attempt", "load", "note_key", "take_notes"]

R = TypeVar("R")

NOTES = 40
"""Notes per agent; every tenth also goes to the scratchpad."""
_POST_EVERY = 10
# The agents think between notes, so that the noting lasts longer than it takes to kill a host.
_PAUSE_S = 0.02
_NOTE_TTL_S = 3600.0
_FIRST_QUERY = "what happened to the database?"


class Loaded(NamedTuple):
    """The memories that one agent was told are durable; `new` counts those not known before."""

    agent: str
    ids: dict[str, UUID]
    new: int


class Noted(NamedTuple):
    """What one agent was told is durable: keys with values, and scratchpad entries by id."""

    agent: str
    notes: dict[str, int]
    posts: dict[UUID, str]
    refused: int
    longest_s: float


class Attempt(NamedTuple):
    """One intention, the nudges it met, and how long recall and intend took."""

    agent: str
    intention: Intention
    nudges: tuple[Nudge, ...]
    intend_ms: float
    recall_ms: float
    recalled: int


def note_key(run: str, step: int) -> str:
    """Return the key of one note; every run has its own, so each is written once."""
    return f"{run}/step-{step:03d}"


@ray.remote
def load(agent: AgentHandle, share: Sequence[Incident]) -> Loaded:
    """Remember incidents as failures. The keys make a second run of the demo write nothing."""

    async def work() -> Loaded:
        receipts = await asyncio.gather(
            *(
                agent.remember(
                    incident.text,
                    layer="episodic",
                    outcome="failure",
                    source=incident.source,
                    tags=[incident.category],
                    details={"incident": incident.id},
                    idempotency_key=f"incident-{incident.id}",
                )
                for incident in share
            )
        )
        ids = {incident.id: one.id for incident, one in zip(share, receipts, strict=True)}
        return Loaded(agent.name, ids, sum(one.new for one in receipts))

    return asyncio.run(work())


@ray.remote
def take_notes(agent: AgentHandle, run: str) -> Noted:
    """Note one step after the other, awaiting each receipt, whatever happens to the host."""

    async def work() -> Noted:
        notes: dict[str, int] = {}
        posts: dict[UUID, str] = {}
        refused, longest = 0, 0.0
        for step in range(NOTES):
            began = time.perf_counter()
            try:
                key = note_key(run, step)
                await agent.note(key, {"step": step}, ttl_s=_NOTE_TTL_S)
                notes[key] = step
                if step % _POST_EVERY == 0:
                    text = f"{key}: still here"
                    posts[(await agent.scratchpad.post(text)).id] = text
            except PinakError:
                refused += 1
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(_PAUSE_S)
        return Noted(agent.name, notes, posts, refused, longest)

    return asyncio.run(work())


@ray.remote
def attempt(agent: AgentHandle, share: Sequence[Intention]) -> list[Attempt]:
    """Say each intention before acting on it, and look up what is known about it."""

    async def work() -> list[Attempt]:
        # A process's first call looks its actors up by name; that is not what is measured.
        await asyncio.gather(agent.recall(_FIRST_QUERY, k=1), agent.recollect("first"))
        return [await _attempt(agent, intention) for intention in share]

    return asyncio.run(work())


async def _attempt(agent: AgentHandle, intention: Intention) -> Attempt:
    nudges, intend_ms = await _timed(agent.intend(intention.text))
    result, recall_ms = await _timed(agent.recall(intention.text, k=5))
    return Attempt(agent.name, intention, nudges, intend_ms, recall_ms, len(result.hits))


async def _timed(work: Awaitable[R]) -> tuple[R, float]:
    began = time.perf_counter()
    answer: Any = await work
    return answer, (time.perf_counter() - began) * 1000
