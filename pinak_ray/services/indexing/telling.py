"""The Indexer's lane for standing nudges: tells agents of failures that bear on their intents."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from msgspec.structs import replace

from pinak_ray.concurrency.periodic import every
from pinak_ray.embedding import Embedder
from pinak_ray.nudges.standing import StandingNudge, standing_nudges
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.sending import Send
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.nudge_feedback import record_shown
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.standing_intents import matching_intents, note_told, taken_failures

__all__ = ["Telling"]

# What a lost Indexer left in the queue is found at once, and not only with the next failure.
_SWEEP_EVERY_S = 1.0
# A transaction is open meanwhile; what takes longer is rolled back, and tried again.
_ROUND_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Telling:
    """Takes queued failures, posts each nudge to its agent's log, and only then forgets them.

    A crash in between repeats the posts, under the same ids: an agent hears each of them once.
    """

    parts: Callable[[], Awaitable[tuple[Database, Embedder, RegisteredModel]]]
    """The database, and the model that serves with its embedder."""
    send: Send
    cooldown: timedelta
    told: int = 0
    _work: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Say that failures may have been queued."""
        self._work.set()

    async def run(self) -> None:
        """Tell, for ever."""
        await every(_SWEEP_EVERY_S, self._tell_some, "telling_failed", wake=self._work)

    async def _tell_some(self) -> int:
        """Deal with some queued failures and return how many there were."""
        database, embedder, model = await self.parts()
        async with asyncio.timeout(_ROUND_TIMEOUT_S), taken_failures(database) as taken:
            for namespace_id, failures in taken.by_namespace.items():
                rows = await matching_intents(
                    database, namespace_id, failures, model_id=model.id, cooldown=self.cooldown
                )
                nudges = standing_nudges(namespace_id, rows, embedder.knows)
                await asyncio.gather(*(self._tell(database, nudge) for nudge in nudges))
        return len(taken.rows)

    async def _tell(self, database: Database, standing: StandingNudge) -> None:
        owner, nudge = standing.intend.owner, standing.nudge
        failure = nudge.evidence[0].id
        # First, for the feedback that may come as soon as the nudge is there. In the name of the
        # failure: so it does not count as shown where a crash has this failure told again.
        await record_shown(database, replace(standing.intend, id=failure), {nudge.id: failure})
        try:
            await self.send(standing.post())
        except InvalidInput as error:  # its log is full
            structlog.get_logger().warning("agent_not_told", error=str(error))
            return
        await note_told(database, owner)
        self.told += 1
