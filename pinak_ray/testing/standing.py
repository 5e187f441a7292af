"""Standing intents in a dictionary: who is told of a failure that is new."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from pinak_ray.nudges.standing import StandingNudge, standing_nudges
from pinak_ray.records.memory.memories import Memory, Outcome
from pinak_ray.records.memory.nudges import LEFT_ALONE_FOR, STANDS_FOR
from pinak_ray.records.operations import Intend
from pinak_ray.records.state.owners import Owner
from pinak_ray.testing.memories import LocalMemories
from pinak_ray.testing.nudges import LocalNudges

__all__ = ["LocalStanding"]


@dataclass(slots=True)
class _Standing:
    intend: Intend
    embedding: bytes
    safe_similarity: float
    expires_at: datetime
    nudged_at: datetime | None = None


@dataclass(slots=True)
class LocalStanding:
    """Each agent's last intent, in every namespace of one twin."""

    memories: LocalMemories
    nudges: LocalNudges
    clock: Callable[[], datetime]
    _intents: dict[Owner, _Standing] = field(default_factory=dict)

    def stand(self, intend: Intend, embedding: bytes, safe_similarity: float) -> None:
        """Keep what an agent is about to do, in the place of what it said before."""
        before = self._intents.get(intend.owner)
        nudged_at = None if before is None else before.nudged_at
        expires_at = self.clock() + STANDS_FOR
        self._intents[intend.owner] = _Standing(
            intend, embedding, safe_similarity, expires_at, nudged_at
        )

    async def told_of(self, memory: Memory) -> list[StandingNudge]:
        """Return the nudges that a new memory is worth, and take them as shown."""
        listening = [one for one in self._intents.values() if self._may_hear(one, memory)]
        if memory.outcome is not Outcome.FAILURE or not listening:
            return []
        await self.memories.embed(memory.namespace_id)
        rows = [row for one in listening for row in self._rows(one, memory)]
        told = standing_nudges(memory.namespace_id, rows, self.memories.embedder.knows)
        for intend, nudge in told:
            self.nudges.record(intend, (nudge,))
            self._intents[intend.owner].nudged_at = self.clock()
        return told

    def _may_hear(self, one: _Standing, memory: Memory) -> bool:
        owner, now = one.intend.owner, self.clock()
        return (
            owner.namespace_id == memory.namespace_id
            and owner.name != memory.agent
            and one.expires_at > now
            and (one.nudged_at is None or one.nudged_at < now - LEFT_ALONE_FOR)
        )

    def _rows(self, one: _Standing, memory: Memory) -> list[dict[str, Any]]:
        intent = one.intend.intent
        of_agent = {
            "intends": one.intend.owner.name,
            "intent": intent.encoded(),
            "safe_similarity": one.safe_similarity,
            **self.nudges.known_of(replace(one.intend, id=None, repeat=False), memory.id),
        }
        found = self.memories.resembling(memory.namespace_id, intent.search_text, one.embedding)
        return [{**row, **of_agent} for row in found if row["id"] == memory.id]
