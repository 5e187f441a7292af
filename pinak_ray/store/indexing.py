"""The Indexer's side of the store: take what is owed, store vectors and term statistics, once."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from pinak_ray.store.database import Connection, Database
from pinak_ray.store.faults import is_transient
from pinak_ray.store.links import queue_linking
from pinak_ray.store.memories import encode_vector, index_text, store_vectors
from pinak_ray.store.queries import query
from pinak_ray.store.standing_intents import queue_failures

__all__ = [
    "OWN_TEXT",
    "EncodeVectors",
    "IndexedBatch",
    "Key",
    "hand_on",
    "index_some",
    "not_searchable",
    "owed",
]

EncodeVectors = Callable[[Sequence[str]], Awaitable[Sequence[bytes]]]
"""Embeds texts and returns each vector in binary halfvec form."""

Key: TypeAlias = tuple[int, UUID]
"""A memory's primary key: its namespace and its id."""

OWN_TEXT = 0
"""The `kind` of the vector of a memory's own text."""

# Beyond this a queue row is set aside (and counted by `owed`), so that one poison text cannot stop
# the rest for ever.
MAX_ATTEMPTS = 5


class IndexedBatch(NamedTuple):
    """What one call of `index_some` did: the memories, now searchable, of so many queue rows."""

    keys: frozenset[Key]
    rows: int
    vectors: int

    @property
    def memories(self) -> int:
        """How many memories became searchable."""
        return len(self.keys)


class Owed(NamedTuple):
    """The backlog: memories without vectors yet, and those set aside after repeated failure."""

    memories: int
    set_aside: int
    oldest_s: float


async def index_some(
    database: Database,
    encode: EncodeVectors,
    *,
    model_id: int,
    limit: int = 128,
    auto_links: bool = False,
) -> IndexedBatch:
    """Index queue rows of up to `limit` memories in one transaction; none when nothing is owed.

    A row of more is indexed alone: with a limit of 1 all are.

    Rows are taken with SKIP LOCKED, so that any number of calls and Indexers share the queue, and
    leave it in the transaction that stores their vectors and statistics: a crash in between repeats
    nothing and forgets nothing. A row that fails alone, for a reason that will not pass by itself,
    is blamed for it: no other shares the fault. With `auto_links` the memories are queued to be
    linked to what is similar.
    """
    taken: list[asyncpg.Record] = []
    try:
        async with database.service() as connection, connection.transaction():
            taken = await connection.fetch(query("indexing", "take"), limit, MAX_ATTEMPTS)
            done = await _index(connection, taken, encode, model_id=model_id)
            if done.keys:
                namespaces, ids = zip(*done.keys, strict=True)
                await queue_failures(connection, namespaces, ids)
            if done.keys and auto_links:
                await queue_linking(connection, done.keys)
            return done
    except Exception as error:
        if len(taken) == 1 and not is_transient(error):
            async with database.service() as connection:
                await connection.execute(query("indexing", "blame"), taken[0]["id"])
        raise


async def _index(
    connection: Connection,
    taken: Sequence[asyncpg.Record],
    encode: EncodeVectors,
    *,
    model_id: int,
) -> IndexedBatch:
    if not taken:
        return IndexedBatch(frozenset(), 0, 0)
    namespaces = [n for row in taken for n in row["namespace_ids"]]
    ids = [i for row in taken for i in row["memory_ids"]]
    missing = await connection.fetch(query("indexing", "texts"), namespaces, ids, model_id)
    vectors = await encode(
        [index_text(row["agent"], row["session"], row["content"]) for row in missing]
    )
    rows = [
        encode_vector(row["namespace_id"], model_id, OWN_TEXT, row["id"].bytes, vector)
        for row, vector in zip(missing, vectors, strict=True)
    ]
    await store_vectors(connection, rows)
    await connection.execute(query("indexing", "count_terms"), namespaces, ids)
    await connection.execute(query("indexing", "count_documents"), namespaces, ids)
    await connection.execute(query("indexing", "note_sessions"), namespaces, ids)
    await hand_on(connection, model_id, OWN_TEXT, namespaces, ids)
    await connection.execute(query("indexing", "done"), [row["id"] for row in taken])
    keys = frozenset(zip(namespaces, ids, strict=True))
    return IndexedBatch(keys, len(taken), len(rows))


async def hand_on(
    connection: Connection,
    model_id: int,
    kind: int,
    namespaces: Sequence[int],
    ids: Sequence[UUID],
) -> None:
    """Have these memories, which this model has embedded, embedded by all other kept models too."""
    await connection.execute(query("backfill", "hand_on"), model_id, kind, namespaces, ids)


async def owed(database: Database) -> Owed:
    """Return the backlog."""
    async with database.service() as connection:
        row = await connection.fetchrow(query("indexing", "owed"), MAX_ATTEMPTS)
    assert row is not None
    return Owed(row["memories"], row["set_aside"], row["oldest_s"])


async def not_searchable(
    database: Database, keys: AbstractSet[Key], *, model_id: int
) -> frozenset[Key]:
    """Return those of the keys that have no vector yet."""
    async with database.service() as connection:
        rows = await connection.fetch(
            query("indexing", "not_searchable"),
            [namespace_id for namespace_id, _ in keys],
            [memory_id for _, memory_id in keys],
            model_id,
        )
    return frozenset((row["namespace_id"], row["id"]) for row in rows)
