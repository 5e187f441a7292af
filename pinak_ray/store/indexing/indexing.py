"""The Indexer's side of the store: take what is owed, store vectors and term statistics, once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg

from pinak_ray.language.indexed_texts import index_text
from pinak_ray.records.errors import InvalidInput
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.holding import HELD_FOR, held
from pinak_ray.store.indexing.reanalysis import reanalyse
from pinak_ray.store.memories.links import queue_linking
from pinak_ray.store.memories.memories import encode_vector, store_vectors
from pinak_ray.store.queries import query
from pinak_ray.store.standing_intents import queue_failures

__all__ = [
    "OWN_TEXT",
    "EncodeVectors",
    "IndexedBatch",
    "Key",
    "Turn",
    "hand_on",
    "index_some",
    "not_searchable",
    "owed",
    "set_aside",
]

EncodeVectors = Callable[[Sequence[str]], Awaitable[Sequence[bytes | str]]]
"""Embeds texts and returns each vector in binary halfvec form, or why its text was refused."""

Key: TypeAlias = tuple[int, UUID]
"""A memory's primary key: its namespace and its id."""

OWN_TEXT = 0
"""The `kind` of the vector of a memory's own text."""

_MOST_WORDS = 500


class IndexedBatch(NamedTuple):
    """What one call of `index_some` did: the memories, now searchable, of so many queue rows.

    And why the texts of others were refused; these are found by their words.
    """

    keys: frozenset[Key]
    rows: int
    vectors: int
    refused: Mapping[Key, str] = MappingProxyType({})

    @property
    def memories(self) -> int:
        """How many memories became searchable."""
        return len(self.keys)


class Owed(NamedTuple):
    """The backlog: memories without vectors yet, and those whose texts were refused."""

    memories: int
    set_aside: int
    oldest_s: float


@dataclass(slots=True)
class Turn:
    """Whose turn it was: the namespaces behind it come next."""

    namespace_id: int = 0


async def index_some(
    database: Database,
    encode: EncodeVectors,
    *,
    model_id: int,
    limit: int = 128,
    turn: Turn | None = None,
    auto_links: bool = False,
) -> IndexedBatch:
    """Index queue rows of up to `limit` memories; none when nothing is owed.

    A row of more is indexed alone: with a limit of 1 all are.

    Rows are kept from others while they are embedded, in no transaction, so that any number of
    calls and Indexers share the queue; and leave it in the transaction that stores their vectors
    and statistics: a crash in between repeats nothing and forgets nothing. A text that is refused
    is owed to the model, and tried again later. What the database refuses alone is blamed for it.
    With `auto_links` the memories are queued to be linked to what is similar.
    """
    taken = await _take(database, limit, turn or Turn())
    if not taken:
        return IndexedBatch(frozenset(), 0, 0)
    try:
        async with held(database, "indexing", [row["id"] for row in taken]):
            texts = await _texts(database, taken, model_id)
            found = dict(zip(texts, await encode(list(texts.values())), strict=True))
        return await _store(database, taken, found, model_id=model_id, auto_links=auto_links)
    except Exception as error:
        await _give_back(database, taken, error)
        raise


async def _take(database: Database, limit: int, turn: Turn) -> Sequence[asyncpg.Record]:
    async with database.service() as connection, connection.transaction():
        await connection.execute(query("indexing", "begin_take"))
        rows = await connection.fetch(query("indexing", "take"), limit, turn.namespace_id, HELD_FOR)
    taken = sorted(rows, key=lambda row: row["place"])
    if taken:
        turn.namespace_id = taken[-1]["namespace_id"]
    return taken


async def _texts(
    database: Database, taken: Sequence[asyncpg.Record], model_id: int
) -> dict[Key, str]:
    async with database.service() as connection:
        rows = await connection.fetch(query("indexing", "texts"), *_columns(taken), model_id)
    return {
        (row["namespace_id"], row["id"]): index_text(row["agent"], row["session"], row["content"])
        for row in rows
    }


async def _store(
    database: Database,
    taken: Sequence[asyncpg.Record],
    found: Mapping[Key, bytes | str],
    *,
    model_id: int,
    auto_links: bool,
) -> IndexedBatch:
    ids = [row["id"] for row in taken]
    vectors = [
        encode_vector(key[0], model_id, OWN_TEXT, key[1].bytes, vector)
        for key, vector in found.items()
        if isinstance(vector, bytes)
    ]
    refused = {key: why for key, why in found.items() if isinstance(why, str)}
    async with database.service() as connection, connection.transaction():
        if len(await connection.fetch(query("indexing", "still_owed"), ids)) < len(ids):
            return IndexedBatch(frozenset(), len(ids), 0)  # too late: another one did it
        await store_vectors(connection, vectors)
        columns = _columns(taken)
        await reanalyse(connection, *columns)
        for name in ("count_terms", "count_documents", "note_sessions"):
            await connection.execute(query("indexing", name), *columns)
        await hand_on(connection, model_id, OWN_TEXT, *columns)
        await set_aside(connection, model_id, OWN_TEXT, refused)
        await connection.execute(query("indexing", "done"), ids)
        await queue_failures(connection, *columns)
        keys = frozenset(zip(*columns, strict=True)) - refused.keys()
        if keys and auto_links:
            await queue_linking(connection, keys)
    return IndexedBatch(keys, len(ids), len(vectors), refused)


async def _give_back(database: Database, taken: Sequence[asyncpg.Record], error: Exception) -> None:
    """Let others take the rows; a row that the database refuses alone is parted, then blamed."""
    ids = [row["id"] for row in taken]
    async with database.service() as connection, connection.transaction():
        if len(taken) > 1 or not isinstance(error, InvalidInput):
            await connection.execute(query("indexing", "let_go"), ids)
        elif len(taken[0]["memory_ids"]) > 1:
            await connection.execute(query("indexing", "part"), ids[0])
            await connection.execute(query("indexing", "done"), ids)
        else:
            await connection.execute(query("indexing", "blame"), ids[0], str(error)[:_MOST_WORDS])


def _columns(taken: Sequence[asyncpg.Record]) -> tuple[list[int], list[UUID]]:
    return (
        [namespace_id for row in taken for namespace_id in row["namespace_ids"]],
        [memory_id for row in taken for memory_id in row["memory_ids"]],
    )


async def set_aside(
    connection: Connection,
    model_id: int,
    kind: int,
    refused: Mapping[Key, str],
    *,
    attempts: int = 0,
) -> None:
    """Owe a model the vectors of texts that it refused; they are tried again by themselves."""
    if refused:
        await connection.execute(
            query("backfill", "set_aside"),
            model_id,
            kind,
            [key[0] for key in refused],
            [key[1] for key in refused],
            attempts,
            [why[:_MOST_WORDS] for why in refused.values()],
        )


async def hand_on(
    connection: Connection,
    model_id: int,
    kind: int,
    namespaces: Sequence[int],
    ids: Sequence[UUID],
) -> None:
    """Have these memories, which this model has embedded, embedded by all other kept models too."""
    await connection.execute(query("backfill", "hand_on"), model_id, kind, namespaces, ids)


async def owed(database: Database, *, model_id: int) -> Owed:
    """Return the backlog of the model that serves."""
    async with database.service() as connection:
        row = await connection.fetchrow(query("indexing", "owed"), model_id)
    assert row is not None
    return Owed(row["memories"], row["set_aside"], row["oldest_s"])


async def not_searchable(
    database: Database, keys: AbstractSet[Key], *, model_id: int
) -> Mapping[Key, str | None]:
    """Return those of the keys that have no vector yet, and why, where the model refused one."""
    async with database.service() as connection:
        rows = await connection.fetch(
            query("indexing", "not_searchable"),
            [namespace_id for namespace_id, _ in keys],
            [memory_id for _, memory_id in keys],
            model_id,
        )
    return {(row["namespace_id"], row["id"]): row["refused"] for row in rows}
