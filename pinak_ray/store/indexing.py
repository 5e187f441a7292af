"""The Indexer's side of the store: take what is owed, store vectors and term statistics, once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from pinak_ray.store.database import Database
from pinak_ray.store.memories import encode_vector, index_text, store_vectors
from pinak_ray.store.queries import query

__all__ = ["EncodeVectors", "IndexedBatch", "index_some", "owed"]

EncodeVectors = Callable[[Sequence[str]], Awaitable[Sequence[bytes]]]
"""Embeds texts and returns each vector in binary halfvec form."""

# Beyond this a queue row is set aside (and counted by `owed`), so that one poison text cannot stop
# the rest for ever.
MAX_ATTEMPTS = 5


class IndexedBatch(NamedTuple):
    """What one call of `index_some` did."""

    memories: int
    vectors: int


class Owed(NamedTuple):
    """The backlog: memories without vectors yet, and those set aside after repeated failure."""

    memories: int
    set_aside: int
    oldest_s: float


async def index_some(
    database: Database, encode: EncodeVectors, *, model_id: int, limit: int = 4
) -> IndexedBatch:
    """Index up to `limit` queued batches in one transaction; (0, 0) when nothing is owed.

    Rows are taken with SKIP LOCKED, so that several Indexers share the queue, and leave it in the
    transaction that stores their vectors and statistics: a crash in between repeats nothing and
    forgets nothing.
    """
    async with database.service() as connection, connection.transaction():
        taken = await connection.fetch(query("indexing", "take"), limit, MAX_ATTEMPTS)
        if not taken:
            return IndexedBatch(0, 0)
        namespaces = [n for row in taken for n in row["namespace_ids"]]
        ids = [i for row in taken for i in row["memory_ids"]]
        missing = await connection.fetch(query("indexing", "texts"), namespaces, ids, model_id)
        vectors = await encode(
            [index_text(row["agent"], row["session"], row["content"]) for row in missing]
        )
        rows = [
            encode_vector(row["namespace_id"], model_id, 0, row["id"].bytes, vector)
            for row, vector in zip(missing, vectors, strict=True)
        ]
        await store_vectors(connection, rows)
        await connection.execute(query("indexing", "count_terms"), namespaces, ids)
        await connection.execute(query("indexing", "count_documents"), namespaces, ids)
        await connection.execute(query("indexing", "done"), [row["id"] for row in taken])
        return IndexedBatch(len(ids), len(rows))


async def blame(database: Database, limit: int) -> None:
    """Count a failed attempt against the queue's head, so that poison is set aside in the end."""
    async with database.service() as connection:
        await connection.execute(query("indexing", "blame"), limit, MAX_ATTEMPTS)


async def owed(database: Database) -> Owed:
    """Return the backlog."""
    async with database.service() as connection:
        row = await connection.fetchrow(query("indexing", "owed"), MAX_ATTEMPTS)
    assert row is not None
    return Owed(row["memories"], row["set_aside"], row["oldest_s"])


async def all_searchable(
    database: Database, keys: Sequence[tuple[int, UUID]], *, model_id: int
) -> bool:
    """Return True once each of these memories has its vector."""
    async with database.service() as connection:
        missing = await connection.fetchval(
            query("indexing", "missing"), [n for n, _ in keys], [i for _, i in keys], model_id
        )
    return not missing
