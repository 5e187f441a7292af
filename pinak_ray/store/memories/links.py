"""Links between memories: commit changes, find what is similar, and step from memory to memory."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from pinak_ray.concurrency.group_commit import Fates
from pinak_ray.embedding import Knows, similarity
from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.links import (
    FRONTIER,
    LEAST_COSINE,
    LINKS_EACH,
    SIMILAR,
    Link,
    LinkChange,
    LinkKey,
    LinkKind,
)
from pinak_ray.records.memory.rows import Reached
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.faults import is_transient
from pinak_ray.store.memories.memories import Duplicate
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys

__all__ = [
    "commit_links",
    "is_there",
    "link_some",
    "neighbours",
    "queue_linking",
    "unlinked",
]

# A transaction of this many takes 50 ms of exact scans in a namespace of 10k.
_AT_ONCE = 8


async def commit_links(database: Database, changes: Sequence[LinkChange]) -> Fates[Duplicate]:
    """Apply changes in one transaction, in their order; the fate of one that changes nothing is
    Duplicate (of a link that was there, also where its strength is new), of one that names an
    unknown memory NotFound."""
    async with database.service() as connection, connection.transaction():
        there = await _living(connection, [each for each in changes if each.strength is not None])
        rows = await connection.fetch(
            query("links", "existing"), *_columns(list({each.key for each in changes}))
        )
        last = {each.key: each for each in changes if not _lacks(each, there)}
        put = [each for each in last.values() if each.strength is not None]
        await connection.execute(
            query("links", "put"),
            *_columns([each.key for each in put]),
            [each.strength for each in put],
            [each.author for each in put],
        )
        removed = [key for key, each in last.items() if each.strength is None]
        await connection.execute(query("links", "remove"), *_columns(removed))
        fates = _fates(changes, {tuple(row) for row in rows}, there)
        if fates:
            await await_standbys(connection)
    return fates


def _fates(
    changes: Sequence[LinkChange],
    present: set[tuple[Any, ...]],
    there: set[tuple[int, UUID]],
) -> Fates[Duplicate]:
    fates: dict[int, Duplicate | Exception] = {}
    for index, change in enumerate(changes):
        missing = _lacks(change, there)
        if missing:
            fates[index] = NotFound(f"memory {missing} does not exist in this namespace")
        elif (change.key in present) == (change.strength is not None):
            fates[index] = Duplicate()
        else:
            present = present ^ {change.key}
    return fates


def _lacks(change: LinkChange, there: set[tuple[int, UUID]]) -> UUID | None:
    """Return the memory that a link would lead from or to, and that is not there."""
    if change.strength is None:
        return None
    for memory_id in (change.from_id, change.to_id):
        if (change.namespace_id, memory_id) not in there:
            return memory_id
    return None


async def _living(connection: Connection, changes: Sequence[LinkChange]) -> set[tuple[int, UUID]]:
    named = sorted({(c.namespace_id, i) for c in changes for i in (c.from_id, c.to_id)})
    rows = await connection.fetch(
        query("links", "living"), [each[0] for each in named], [each[1] for each in named]
    )
    return {(row["namespace_id"], row["id"]) for row in rows}


def _columns(keys: Sequence[LinkKey]) -> list[list[Any]]:
    return [[key[at] for key in keys] for at in range(4)]


async def queue_linking(connection: Connection, keys: Collection[tuple[int, UUID]]) -> None:
    """Have these memories linked to what is similar, once the caller's transaction is committed."""
    ordered = sorted(keys)
    await connection.execute(
        query("links", "queue"), [key[0] for key in ordered], [key[1] for key in ordered]
    )


async def link_some(database: Database, *, model_id: int, knows: Knows) -> int:
    """Link a few memories that wait for it to what is similar; return how many.

    `knows` tells of which texts the model's vectors mean something: others have to share words.

    Taken with SKIP LOCKED, so that Indexers share the queue. What cannot be linked, for a reason
    that will not pass by itself, is dropped: nobody was promised these links.
    """
    taken: asyncpg.Record | None = None
    try:
        async with database.service() as connection, connection.transaction():
            taken = await connection.fetchrow(query("links", "take"))
            return 0 if taken is None else await _link(connection, taken, model_id, knows)
    except Exception as error:
        if taken is not None and not is_transient(error):
            async with database.service() as connection:
                await connection.execute(query("links", "done"), taken["id"])
        raise


async def _link(connection: Connection, taken: asyncpg.Record, model_id: int, knows: Knows) -> int:
    keys = list(zip(taken["namespace_ids"], taken["memory_ids"], strict=True))
    now, later = sorted(keys[:_AT_ONCE]), keys[_AT_ONCE:]
    for namespace_id, group in groupby(now, lambda key: key[0]):
        await connection.fetchval(query("links", "serve"), str(namespace_id))
        ids = [memory_id for _, memory_id in group]
        rows = await connection.fetch(
            query("links", "similar"), namespace_id, ids, model_id, SIMILAR, LEAST_COSINE
        )
        found = [
            (row["from_id"], row["to_id"], strength)
            for row in rows
            if (strength := similarity(row["cosine"], row["one"], row["other"], knows))
            >= LEAST_COSINE
        ]
        columns = [[each[at] for each in found] for at in range(3)]
        await connection.execute(query("links", "link_similar"), namespace_id, *columns)
    if later:
        rest = [key[0] for key in later], [key[1] for key in later]
        await connection.execute(query("links", "leave"), taken["id"], *rest)
    else:
        await connection.execute(query("links", "done"), taken["id"])
    return len(now)


async def unlinked(database: Database) -> int:
    """Return how many memories wait to be linked to what is similar."""
    async with database.service() as connection:
        return int(await connection.fetchval(query("links", "unlinked")))


async def is_there(connection: Connection, namespace_id: int, memory_id: UUID) -> bool:
    """Tell whether this memory exists and has not expired."""
    return await connection.fetchrow(query("links", "start"), namespace_id, memory_id) is not None


async def neighbours(
    connection: Connection,
    namespace_id: int,
    frontier: Mapping[UUID, float],
    seen: Collection[UUID],
    *,
    filters: Sequence[Any],
    min_strength: float = 0.0,
    kinds: Sequence[LinkKind] = (),
) -> list[Reached]:
    """Return the memories one link away from `frontier` (strengths of paths by memory), both ways,
    strongest first and at most FRONTIER; `filters` are the fields of the database's type."""
    rows = await connection.fetch(
        query("links", "neighbours"),
        namespace_id,
        list(frontier),
        list(frontier.values()),
        list(seen),
        list(kinds) or None,
        min_strength,
        LINKS_EACH,
        FRONTIER,
        *filters,
    )
    return [Reached(row, row["path_strength"], _link_of(row)) for row in rows]


def _link_of(row: asyncpg.Record) -> Link:
    return Link(
        row["from_id"],
        row["to_id"],
        LinkKind(row["kind"]),
        row["link_strength"],
        row["author"],
        row["linked_at"],
    )
