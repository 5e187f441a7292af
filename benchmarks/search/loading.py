"""A namespace of a given size, as the Writer stores it and the Indexer leaves it."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from benchmarks.report import progress
from benchmarks.search.corpus import Corpus, Row
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import EncodedMemory, commit_memories, encode_memory

__all__ = ["CONNECTIONS", "SESSION_SHARE", "load", "settled", "still_waiting", "vacuum"]

CONNECTIONS = 3
_BATCH = 2_000
SESSION_SHARE = 0.02
"""Of a batch, the rows that belong to a session: every window is embedded by the Indexer."""
_SESSION_LENGTH = 20
_AGENTS = 50
# An index of 400,000 vectors is built on one core, and a million make three of them.
_SETTLE_TIMEOUT_S = 1_800.0
_SAY_EVERY_S = 15.0
# What an Indexer still has to do: memories whose words are not counted, entries without their
# window, vectors of large namespaces that no segment holds yet.
_BACKLOGS = ("queue_depth", "unsettled", "unsealed")


async def load(
    database: Database,
    namespace_id: int,
    model_id: int,
    corpus: Corpus,
    rows: int,
    *,
    session_share: float,
) -> None:
    """Store `rows` memories with their vectors, as the Writer does, over several connections.

    `session_share` of them belong to sessions.
    """
    numbered = enumerate(corpus.batches(rows, _BATCH, seed=rows))
    stored = 0

    async def lane() -> None:
        nonlocal stored
        for number, batch in numbered:
            encoded = list(_encoded(namespace_id, model_id, number, batch, session_share))
            fates = await commit_memories(database, encoded)
            if fates:
                raise RuntimeError(f"{len(fates)} memories of a fresh namespace were refused")
            stored += len(encoded)
            if stored // 100_000 > (stored - len(encoded)) // 100_000:
                progress(f"stored {stored:,} of {rows:,}")

    await asyncio.gather(*(lane() for _ in range(CONNECTIONS)))


def _encoded(
    namespace_id: int, model_id: int, batch_number: int, batch: Sequence[Row], share: float
) -> Iterator[EncodedMemory]:
    in_session = int(len(batch) * share)
    for place, row in enumerate(batch):
        session = f"{batch_number}-{place // _SESSION_LENGTH}" if place < in_session else None
        yield encode_memory(
            new_memory(
                namespace_id,
                f"agent-{place % _AGENTS}",
                row.content,
                layer="episodic",
                session=session,
                vector=row.vector,
            ),
            model_id=model_id,
        )


def still_waiting(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return each backlog that is not empty, over all parts of the stack.

    An Indexer that is too busy to say so counts as one that has something to do.
    """
    silent = sum("unsealed" not in part for name, part in parts.items() if "indexer" in name)
    if silent:
        return {"silent_indexers": silent}
    found = {name: sum(part.get(name) or 0 for part in parts.values()) for name in _BACKLOGS}
    return {name: count for name, count in found.items() if count}


async def settled(settings: Settings) -> None:
    """Return once the Indexer has nothing left to do, twice in a row; raises TimeoutError."""
    start = time.monotonic()
    quiet = 0
    for turn in itertools.count():
        waiting = still_waiting(await asyncio.to_thread(health, settings))
        quiet = 0 if waiting else quiet + 1
        if quiet == 2:  # what is counted may become due for its next step a moment later
            return
        if time.monotonic() - start > _SETTLE_TIMEOUT_S:
            raise TimeoutError(f"after {_SETTLE_TIMEOUT_S:.0f} s there still wait: {waiting}")
        if waiting and turn % int(_SAY_EVERY_S) == 0:
            progress(f"the indexer still has {waiting}")
        await asyncio.sleep(1.0)  # only another process can say it, when asked


async def vacuum(dsn: str) -> None:
    """Do once what autovacuum would have done in the time that such a load takes in life."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("VACUUM (ANALYZE)", timeout=600.0)
    finally:
        await connection.close()
