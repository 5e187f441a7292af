"""The Writer: group commit of memories from many callers."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

import ray
import structlog

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.records.memories import Ack, Receipt
from pinak_ray.records.topology import RAY_NAMESPACE
from pinak_ray.store.database import Database
from pinak_ray.store.group_commit import GroupCommit
from pinak_ray.store.memories import Duplicate, EncodedMemory, commit_memories
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Writer"]

# The longest that a writer keeps a batch whose database is gone; clients give up after 20 s.
_RETRY_FOR_S = 60.0
# A call costs both sides about 0.3 ms, and at full load there are hundreds of commits a second.
_WAKE_AFTER_S = 0.02
# An Indexer that is this far behind looks for work by itself.
_WAKE_TIMEOUT_S = 10.0


class Writer:
    """A thin shell over GroupCommit. Memories arrive as COPY rows and are never decoded here."""

    def __init__(self, config: StackConfig, indexers: tuple[str, ...]) -> None:
        configure_logs()
        self._config = config
        self._indexers = indexers
        self._news = False
        self._waking: asyncio.Task[None] | None = None
        self._parts = Lazy(self._open)

    async def _open(self) -> tuple[Database, GroupCommit[EncodedMemory, Duplicate]]:
        database = await Database.open(
            self._config.dsn,
            # One more for `ping`: while every lane waits for a lock, it must still tell the depth.
            service_connections=self._config.writer_lanes + 1,
            name="pinak-ray writer",
        )

        async def commit(batch: Sequence[EncodedMemory]) -> Any:
            fates = await commit_memories(database, batch)
            self._wake_indexers_soon()
            return fates

        commits = GroupCommit(
            commit,
            "the writer",
            lanes=self._config.writer_lanes,
            capacity=self._config.writer_capacity,
            size_of=lambda memory: memory.size,
            retry_for_s=_RETRY_FOR_S,
        )
        return database, commits

    def _wake_indexers_soon(self) -> None:
        """Push: tell the Indexers that there is work, once for all commits of a moment."""
        self._news = True
        if self._waking is None:
            self._waking = asyncio.create_task(self._wake_indexers())

    async def _wake_indexers(self) -> None:
        while self._news:
            await asyncio.sleep(_WAKE_AFTER_S)
            self._news = False  # before calling: what is committed meanwhile is told again
            await asyncio.gather(*map(_wake, self._indexers))
        self._waking = None

    async def write(
        self, rows: Sequence[bytes], vectors: Mapping[int, bytes] | None = None
    ) -> dict[int, Any] | None:
        """Store a batch durably; None when every memory is new, else the fates of the others.

        `vectors` are the COPY rows of vectors that callers brought, by the memory's index. Bare
        bytes, because 192 tuples took ten times as long to pickle as 192 rows. Raises Overloaded
        when the queue is full: nothing of the batch was stored.
        """
        given = vectors or {}
        return await self._submit(
            [EncodedMemory(row, given.get(index)) for index, row in enumerate(rows)]
        )

    async def accept(
        self, rows: Sequence[bytes], vectors: Mapping[int, bytes] | None = None
    ) -> None:
        """Hold a batch and return; it is stored with the next commits, unless this process dies.

        Raises Overloaded when the queue is full.
        """
        given = vectors or {}
        _, commits = await self._parts.get()
        held = commits.put([EncodedMemory(row, given.get(index)) for index, row in enumerate(rows)])
        held.add_done_callback(_log_refusals)

    async def _submit(self, batch: Sequence[EncodedMemory]) -> dict[int, Any] | None:
        _, commits = await self._parts.get()
        fates = await commits.submit(batch)
        return dict(fates) if fates else None

    async def write_one(self, memory: EncodedMemory, ack: Ack) -> Receipt:
        """Store one memory and return its receipt: the `.remote()` lane, one call each."""
        if ack is Ack.ACCEPTED:
            vectors = None if memory.vector_row is None else {0: memory.vector_row}
            await self.accept([memory.row], vectors)
            return Receipt(memory.key[1], ack)
        fates = await self._submit([memory]) or {}
        fate = fates.get(0)
        if isinstance(fate, Exception):
            raise fate
        if ack is Ack.SEARCHABLE:
            indexer = ray.get_actor(self._indexers[0], namespace=RAY_NAMESPACE)
            await indexer.searchable.remote([memory.key])
        return Receipt(memory.key[1], ack, fate is None)

    async def ping(self) -> dict[str, Any]:
        """Return this writer's numbers once its database has answered."""
        database, commits = await self._parts.get()
        await database.ping()
        return {
            "pid": os.getpid(),
            "queue_depth": commits.depth,
            "committed": commits.committed,
            "batches": commits.batches,
        }

    async def drain(self) -> None:
        """Commit what waits and refuse what comes after."""
        if self._parts.opened is not None:
            database, commits = self._parts.opened
            await commits.aclose()
            await database.aclose()


async def _wake(indexer: str) -> None:
    """Wake one Indexer and wait for it: calls to one that is behind would pile up in both."""
    try:
        async with asyncio.timeout(_WAKE_TIMEOUT_S):
            await ray.get_actor(indexer, namespace=RAY_NAMESPACE).wake.remote()
    except (ValueError, ray.exceptions.RayError, TimeoutError) as error:
        structlog.get_logger().warning("indexer_not_woken", indexer=indexer, error=repr(error))


def _log_refusals(held: "asyncio.Future[Any]") -> None:
    """Say what became of memories whose callers did not wait for it."""
    error = held.exception()
    fates = [error] if error is not None else held.result().values()
    refused = [fate for fate in fates if isinstance(fate, Exception)]
    if refused:
        structlog.get_logger().error(
            "accepted_not_stored", memories=len(refused), error=str(refused[0])
        )
