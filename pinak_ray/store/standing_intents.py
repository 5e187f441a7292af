"""What agents intend now: kept behind the answer of `intend`, and matched with new failures."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from pinak_ray.concurrency.write_behind import WriteBehind
from pinak_ray.language.analysis import query_terms
from pinak_ray.records.memory.nudges import LEFT_ALONE_FOR, STANDS_FOR, Intent
from pinak_ray.records.memory.rows import Row
from pinak_ray.records.state.owners import Owner
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.faults import is_transient
from pinak_ray.store.queries import query

__all__ = [
    "StandingIntents",
    "TakenFailures",
    "matching_intents",
    "note_told",
    "queue_failures",
    "taken_failures",
]

# Agents told of one failure, the nearest first: more than a team has at work on one thing.
_INTENTS_A_FAILURE = 32
# An intent stands a moment after its answer, so that a failure may be indexed in between.
_AGAIN_AFTER = timedelta(seconds=2)
# Later than this, what was about to be done has been done.
_LATE_AFTER = timedelta(minutes=1)
_FAILURES_AT_ONCE = 64
_UPSERTS = 256
_CAPACITY = 4_096
# One statement for what comes within it: alone, an intent would bring a commit of its own.
_GATHERED_FOR_S = 0.1


class _Standing(NamedTuple):
    intent: Intent
    embedding: bytes
    safe_similarity: float
    intended_at: datetime


@dataclass(slots=True)
class StandingIntents:
    """A bounded queue of each agent's last intent, written in batches while agents go on.

    An intent that finds it full does not stand, and one that finds the database away stands once it
    is back: `intend` never waits for it.
    """

    database: Database
    model_id: int
    _queue: WriteBehind[Owner, _Standing] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = WriteBehind(
            "intents_not_kept",
            self._upsert,
            _CAPACITY,
            _UPSERTS,
            gather_s=_GATHERED_FOR_S,
            stays=is_transient,
        )

    def stand(self, owner: Owner, intent: Intent, embedding: bytes, safe_similarity: float) -> None:
        """Keep what an agent is about to do, in the place of what it said before.

        `embedding` is in halfvec form, `safe_similarity` that of the gate.
        """
        standing = _Standing(intent, embedding, safe_similarity, datetime.now(UTC))
        if not self._queue.put(owner, standing):
            structlog.get_logger().warning("intent_not_kept", waiting=_CAPACITY)

    async def aclose(self) -> None:
        """Write what waits, within five seconds."""
        await self._queue.aclose()

    async def _upsert(self, batch: Sequence[tuple[Owner, _Standing]]) -> None:
        owners, standing = zip(*batch, strict=True)
        async with self.database.service() as connection:
            await connection.execute(
                query("standing_intents", "stand"),
                [owner.namespace_id for owner in owners],
                [owner.name for owner in owners],
                self.model_id,
                [each.intent.encoded() for each in standing],
                [" ".join(query_terms(each.intent.search_text)) for each in standing],
                [each.embedding for each in standing],
                [each.safe_similarity for each in standing],
                [each.intended_at for each in standing],
                STANDS_FOR,
            )


async def queue_failures(
    connection: Connection, namespace_ids: Sequence[int], ids: Sequence[UUID]
) -> None:
    """Queue the failures among these memories, in the caller's transaction."""
    await connection.execute(query("standing_intents", "queue_failures"), namespace_ids, ids)


@dataclass(slots=True)
class TakenFailures:
    """Failures that nobody else takes: the ids by namespace, without those that come too late."""

    rows: Sequence[asyncpg.Record]
    by_namespace: dict[int, list[UUID]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            if not row["is_late"]:
                self.by_namespace.setdefault(row["namespace_id"], []).append(row["memory_id"])


@asynccontextmanager
async def taken_failures(database: Database) -> AsyncIterator[TakenFailures]:
    """Lend failures that are due; after the second time, and without an error, they leave."""
    async with database.service() as connection, connection.transaction():
        rows = await connection.fetch(
            query("standing_intents", "take_failures"), _FAILURES_AT_ONCE, _LATE_AFTER
        )
        yield TakenFailures(rows)
        if not rows:
            return
        await connection.execute(
            query("standing_intents", "failures_are_told"),
            [row["namespace_id"] for row in rows],
            [row["memory_id"] for row in rows],
            [row["is_late"] for row in rows],
            _AGAIN_AFTER,
        )


async def matching_intents(
    database: Database,
    namespace_id: int,
    failures: Sequence[UUID],
    *,
    model_id: int,
    cooldown: timedelta,
) -> Sequence[Row]:
    """Return pairs of a failure and another agent's intent: evidence, and for whom (`intends`)."""
    async with database.reading(namespace_id) as connection:
        rows: Sequence[Row] = await connection.fetch(
            query("standing_intents", "matches"),
            namespace_id,
            model_id,
            list(failures),
            _INTENTS_A_FAILURE,
            LEFT_ALONE_FOR,
            cooldown,
        )
    return rows


async def note_told(database: Database, owner: Owner) -> None:
    """Leave this agent alone for a moment."""
    async with database.service() as connection:
        await connection.execute(query("standing_intents", "told"), owner.namespace_id, owner.name)
