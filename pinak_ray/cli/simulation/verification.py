"""Whether what was acknowledged is there: notes by their handles, memories in PostgreSQL."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from pinak_ray.cli.simulation.acknowledged import Acknowledged, Noted
from pinak_ray.cli.simulation.behaviour import agent_name
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.state.owners import WorkingItem
from pinak_ray.store.database import Database

__all__ = ["Verified", "verify"]

_AT_ONCE = 64
_MEMORIES: Final = "SELECT count(*) FROM pinak.memories WHERE namespace_id = $1 AND source = $2"


class Verified(NamedTuple):
    """What was acknowledged, and what of it was found."""

    agents: int
    """How many agents' notes were read back."""
    notes: int
    notes_lost: int
    """Missing, older than acknowledged, or with another value."""
    memories: int
    memories_stored: int
    """May exceed the acknowledged by those whose receipt did not arrive (counted as errors)."""

    @property
    def lost(self) -> int:
        """Acknowledged, and not there."""
        return self.notes_lost + max(0, self.memories - self.memories_stored)

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {**self._asdict(), "lost": self.lost}


async def verify(
    swarm: Swarm, dsn: str, source: str, kept: Sequence[Acknowledged], memories: int
) -> Verified:
    """Read back and count; `memories` is how many were acknowledged. Raises Unavailable."""
    wanted: dict[str, dict[str, Noted]] = {}
    for one in kept:
        for (agent, key), noted in one.notes.items():
            wanted.setdefault(agent_name(agent), {})[key] = noted
    slots = asyncio.Semaphore(_AT_ONCE)

    async def lost(name: str, notes: dict[str, Noted]) -> int:
        async with slots:
            held = {item.key: item for item in await swarm.agent(name).recollect()}
        return sum(not _holds(held.get(key), noted) for key, noted in notes.items())

    notes_lost = sum(await asyncio.gather(*(lost(name, notes) for name, notes in wanted.items())))
    async with (
        await Database.open(dsn, service_connections=1, name="pinak-ray simulate") as database,
        database.service() as connection,
    ):
        stored = await connection.fetchval(_MEMORIES, swarm.namespace_id, source)
    return Verified(len(wanted), sum(map(len, wanted.values())), notes_lost, memories, int(stored))


def _holds(item: WorkingItem | None, noted: Noted) -> bool:
    # A newer version is a note whose receipt did not arrive: nothing acknowledged was lost.
    if item is None or item.version < noted.version:
        return False
    return item.version > noted.version or item.value == noted.text
