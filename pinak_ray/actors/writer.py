"""The Writer: group commit of memories from many callers."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import ray
import structlog

from pinak_ray.concurrency.admission import Admission
from pinak_ray.concurrency.group_commit import GroupCommit, delays
from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.records.errors import DatabaseUnavailable
from pinak_ray.records.memory.links import LinkChange
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import ChangeLink, Forget, Revise
from pinak_ray.records.topology import RAY_NAMESPACE
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import CHANGES_AT_ONCE, writer_pool
from pinak_ray.store.database import Database
from pinak_ray.store.faults import is_transient, translated
from pinak_ray.store.indexing.indexing import Key
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.given_vectors import commit_given
from pinak_ray.store.memories.links import commit_links
from pinak_ray.store.memories.memories import Duplicate, EncodedMemory, namespaces_of, size_of
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Writer"]

# A call costs both sides about 0.3 ms, and at full load there are hundreds of commits a second.
_WAKE_AFTER_S = 0.02
# An Indexer that is this far behind looks for work by itself.
_WAKE_TIMEOUT_S = 10.0


class _Parts(NamedTuple):
    database: Database
    memories: GroupCommit[EncodedMemory, Duplicate]
    links: GroupCommit[LinkChange, Duplicate]


class Writer:
    """A thin shell over GroupCommit. Memories arrive as COPY rows and are never decoded here."""

    def __init__(self, config: StackConfig, indexers: tuple[str, ...]) -> None:
        configure_logs()
        self._config = config
        self._indexers = indexers
        self._news = False
        self._waking: asyncio.Task[None] | None = None
        self._changes = Admission("the writer", CHANGES_AT_ONCE)
        self._parts = Lazy(self._open)

    async def _open(self) -> _Parts:
        database = await Database.open(
            self._config.dsn,
            service_connections=writer_pool(self._config).service,
            name="pinak-ray writer",
        )

        async def commit(batch: Sequence[EncodedMemory]) -> Any:
            fates = await commit_given(database, batch)
            self._wake_indexers_soon()
            return fates

        commits = GroupCommit(
            commit,
            "the writer",
            is_transient=is_transient,
            translated=translated,
            lanes=self._config.writer_lanes,
            capacity=self._config.writer_capacity,
            size_of=size_of,
            whose=namespaces_of,
        )
        links = GroupCommit(
            partial(commit_links, database),
            "the writer's links",
            is_transient=is_transient,
            translated=translated,
            whose=lambda changes: [change.namespace_id for change in changes],
        )
        return _Parts(database, commits, links)

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
        when the queue is full, or a namespace's share of it: nothing of the batch was stored.
        """
        given = vectors or {}
        return await self._submit(
            [EncodedMemory(row, given.get(index)) for index, row in enumerate(rows)]
        )

    async def accept(
        self, rows: Sequence[bytes], vectors: Mapping[int, bytes] | None = None
    ) -> None:
        """Hold a batch and return; it is stored with the next commits, unless this process dies.

        A database that takes no writes for a while is waited for. Raises what `write` raises.
        """
        given = vectors or {}
        commits = (await self._parts.get()).memories
        batch = [EncodedMemory(row, given.get(index)) for index, row in enumerate(rows)]
        held = commits.put(batch, keep=True)
        held.add_done_callback(_log_refusals)

    async def _submit(self, batch: Sequence[EncodedMemory]) -> dict[int, Any] | None:
        commits = (await self._parts.get()).memories
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
        namespace_id, id_ = memory.key
        id_ = id_ if fate is None else fate.id
        if ack is Ack.SEARCHABLE:
            await self._await_searchable((namespace_id, id_))
        return Receipt(id_, ack, fate is None)

    async def revise(self, operation: Revise, model_id: int) -> Receipt:
        """Store a memory in the place of another one; `accepted` is reached with `durable`.

        `model_id` names the model of a vector that the caller brought. Raises NotFound, Superseded,
        IdempotencyMismatch, and Overloaded when too many wait.
        """
        revision, ack = operation.revision, operation.ack
        async with self._changing(revision.memory.namespace_id) as database:
            id_, new = await revise_memory(database, revision, model_id=model_id)
        self._wake_indexers_soon()
        if ack is Ack.SEARCHABLE:
            await self._await_searchable((revision.memory.namespace_id, id_))
        return Receipt(id_, Ack.DURABLE if ack is Ack.ACCEPTED else ack, new)

    async def forget(self, operation: Forget) -> Receipt:
        """Make one memory unfindable, and remove it; raises Overloaded when too many wait."""
        owner, memory_id = operation.owner, operation.memory_id
        async with self._changing(owner.namespace_id) as database:
            new = await forget_memory(database, owner.namespace_id, memory_id)
        return Receipt(memory_id, Ack.DURABLE, new)

    @asynccontextmanager
    async def _changing(self, namespace_id: int) -> AsyncIterator[Database]:
        """Lend the database once all that was accepted before is stored: it may be what changes."""
        parts = await self._parts.get()
        async with self._changes.turn(namespace_id):
            commits = parts.memories
            try:
                async with asyncio.timeout(commits.retry_for_s):
                    await commits.drain(namespace_id.to_bytes(4, signed=True))
            except TimeoutError:
                why = commits.delayed or "what was accepted before is not stored yet"
                raise DatabaseUnavailable(why) from None
            yield parts.database

    async def _await_searchable(self, key: Key) -> None:
        indexer = ray.get_actor(self._indexers[0], namespace=RAY_NAMESPACE)
        for fate in (await indexer.searchable.remote([key])).values():
            raise fate

    async def change_links(self, changes: Sequence[LinkChange]) -> dict[int, Any] | None:
        """Make and remove links durably; None when each changed something, else the other fates.

        Raises Overloaded when the queue is full: nothing of the batch was stored.
        """
        fates = await (await self._parts.get()).links.submit(changes)
        return dict(fates) if fates else None

    async def change_link(self, operation: ChangeLink) -> Receipt:
        """Make or remove one link and return its receipt: the `.remote()` lane, one call each."""
        change, ack = operation.change, operation.ack
        fate = (await self.change_links([change]) or {}).get(0)
        if isinstance(fate, Exception):
            raise fate
        return Receipt(change.id, ack, fate is None)

    async def ping(self) -> dict[str, Any]:
        """Return this writer's numbers once its database has answered."""
        database, commits, links = await self._parts.get()
        await database.ping()
        return {
            "pid": os.getpid(),
            "queue_depth": commits.depth + links.depth,
            "committed": commits.committed,
            "batches": commits.batches,
            **delays(commits, links),
        }

    async def drain(self) -> None:
        """Commit what waits and refuse what comes after."""
        if self._parts.opened is not None:
            database, commits, links = self._parts.opened
            await asyncio.gather(commits.aclose(), links.aclose())
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
