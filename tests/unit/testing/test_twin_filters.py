"""The twin's filters against a plain predicate."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.records.memory.memories import Layer, Outcome
from pinak_ray.testing import LocalSwarm
from tests.support.passing import passes

DAY = datetime(2026, 3, 1, tzinfo=UTC)
FEW = st.sampled_from(["a", "b", "c"])
LABELS = st.lists(FEW, max_size=3, unique=True)
TIMES = st.integers(0, 4).map(lambda hours: DAY + timedelta(hours=hours))
MEMORIES = st.fixed_dictionaries({
    "agent": FEW,
    "session": st.none() | FEW,
    "layer": st.sampled_from(Layer),
    "tags": LABELS,
    "entities": LABELS,
    "outcome": st.none() | st.sampled_from(Outcome),
    "occurred_at": TIMES,
})  # fmt: skip
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "layers": st.lists(st.sampled_from(Layer), max_size=2),
        "agents": LABELS,
        "sessions": LABELS,
        "tags": LABELS,
        "any_tags": LABELS,
        "no_tags": LABELS,
        "entities": LABELS,
        "outcome": st.none() | st.sampled_from(Outcome),
        "since": TIMES,
        "until": TIMES.map(lambda time: time + timedelta(hours=5)),
    },
)


@settings(deadline=None)
@given(st.lists(MEMORIES, max_size=8), FILTERS)
def test_they_leave_what_the_predicate_leaves(
    memories: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    """Any combination of filters, in every recipe that all of them could answer."""

    async def found() -> list[list[str]]:
        swarm = LocalSwarm()
        for number, memory in enumerate(memories):
            agent, rest = memory["agent"], {k: v for k, v in memory.items() if k != "agent"}
            await swarm.agent(agent).remember(f"orders {number}", **rest)
        reader = swarm.agent("reader")
        results = [
            await reader.recall("orders", recipe=recipe, k=50, **asked)
            for recipe in ("recent", "exact", "lexical", "default")
        ]
        return [sorted(hit.content for hit in result.hits) for result in results]

    expected = [f"orders {n}" for n, memory in enumerate(memories) if passes(memory, asked)]
    assert asyncio.run(found()) == [expected] * 4


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


async def test_what_expired_since_was_believed_then() -> None:
    """As of a time, what was stored by then and had not expired by then answers."""
    clock = Clock()
    swarm = LocalSwarm(clock=clock)
    before = datetime.now(UTC)
    await swarm.agent("ada").remember("orders are locked", ttl_s=60)
    after = datetime.now(UTC)
    clock.now += timedelta(seconds=61)

    async def hits(as_of: datetime | None) -> int:
        return len((await swarm.agent("ada").recall("orders", as_of=as_of)).hits)

    assert [await hits(as_of) for as_of in (before, after, None)] == [0, 1, 0]
