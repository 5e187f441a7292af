"""What a pass of the Curator reads, and how it merges; in short transactions of the caller's."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import orjson

from pinak_ray.records.errors import Conflict, NotFound
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import CurationReport
from pinak_ray.records.memory.rows import Row
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query

__all__ = [
    "LastCuration",
    "Standing",
    "candidates",
    "due_namespaces",
    "enrich",
    "expired",
    "keep_report",
    "last_curation",
    "lock",
    "merge",
    "namespace_of",
    "next_memories",
    "same_texts",
    "similar_pairs",
    "standing",
    "texts",
    "turn",
    "uses",
]

_NOWHERE = UUID(int=0)
_NAMESPACES = 256
_MOVED = ("move_links", "move_accesses", "move_gradings", "move_verdicts")


class Standing(NamedTuple):
    """Behind which ids the two sweeps of a namespace go on."""

    forget_after: UUID = _NOWHERE
    merge_after: UUID = _NOWHERE


class LastCuration(NamedTuple):
    """The last report as JSON (null before the first pass), and how many memories are archived."""

    report: bytes
    archived: int


@asynccontextmanager
async def turn(database: Database, namespace_id: int) -> AsyncIterator[None]:
    """Let one curator work on a namespace; raises Conflict while another one does."""
    async with database.service() as connection:
        if not await connection.fetchval(query("curation", "take_turn"), namespace_id):
            raise Conflict("this namespace is being curated; ask again when that has ended")
        try:
            yield
        finally:
            await connection.execute(query("curation", "end_turn"), namespace_id)


async def namespace_of(database: Database, key: NamespaceKey) -> int:
    """Return a namespace's id; raises NotFound, and makes none."""
    async with database.service() as connection:
        found = await connection.fetchval(query("curation", "namespace"), *key)
    if found is None:
        raise NotFound(f"there is no namespace {key}")
    return int(found)


async def due_namespaces(
    database: Database, after: int, *, every_s: float, acts: bool
) -> Mapping[int, NamespaceKey]:
    """Return the next namespaces behind `after` that nobody curated for `every_s`, by id."""
    async with database.service() as connection:
        rows = await connection.fetch(
            query("curation", "namespaces"), after, timedelta(seconds=every_s), acts, _NAMESPACES
        )
    return {row["id"]: NamespaceKey(row["tenant"], row["project"]) for row in rows}


async def standing(connection: Connection, namespace_id: int) -> Standing:
    """Return where the sweeps stand: at the start where there was none."""
    row = await connection.fetchrow(query("curation", "standing"), namespace_id)
    return Standing() if row is None else Standing(*row)


async def keep_report(
    connection: Connection, namespace_id: int, report: CurationReport, at: Standing
) -> None:
    """Keep what a pass did in the place of the report before, and where the next one goes on."""
    await connection.execute(
        query("curation", "keep_report"), namespace_id, *at, orjson.dumps(report)
    )


async def last_curation(database: Database, namespace_id: int) -> LastCuration:
    """Return the last report on a namespace, read under its own row-level security."""
    async with database.reading(namespace_id) as connection:
        row = await connection.fetchrow(query("curation", "report"), namespace_id)
    assert row is not None
    return LastCuration(row["report"] or b"null", row["archived"])


async def expired(connection: Connection, namespace_id: int) -> int:
    """Return how many memories wait for the purge."""
    return int(await connection.fetchval(query("curation", "expired"), namespace_id))


async def next_memories(
    connection: Connection,
    namespace_id: int,
    after: UUID,
    *,
    limit: int,
    older_than: timedelta,
    salience: float,
) -> Sequence[Row]:
    """Return ids in their order, and whether each one `may_go` at all."""
    rows: Sequence[Row] = await connection.fetch(
        query("curation", "next_memories"), namespace_id, after, limit, older_than, salience
    )
    return rows


async def uses(connection: Connection, namespace_id: int, ids: Sequence[UUID]) -> Sequence[Row]:
    """Return id, salience, accesses, idle_days and usefulness (None: nobody graded it) of each."""
    graded = await connection.fetch(query("retrieval_feedback", "usefulness_of"), namespace_id, ids)
    means = {row["id"]: row["mean"] for row in graded}
    rows = await connection.fetch(query("curation", "uses"), namespace_id, ids)
    return [{**row, "usefulness": means.get(row["id"])} for row in rows]


async def lock(connection: Connection, namespace_id: int, ids: Iterable[UUID]) -> list[UUID]:
    """Lock those of these memories that are indexed and nobody else is changing."""
    rows = await connection.fetch(query("curation", "lock"), namespace_id, list(ids))
    return [row["id"] for row in rows]


async def texts(connection: Connection, namespace_id: int, ids: Sequence[UUID]) -> Sequence[Row]:
    """Return the beginning and the size of each text."""
    rows: Sequence[Row] = await connection.fetch(query("curation", "texts"), namespace_id, ids)
    return rows


async def same_texts(
    connection: Connection, namespace_id: int, *, groups: int, each: int
) -> Sequence[Sequence[UUID]]:
    """Return groups of memories with the same text, layer and outcome."""
    rows = await connection.fetch(query("curation", "same_texts"), namespace_id, groups, each)
    return [row["ids"] for row in rows]


async def similar_pairs(
    connection: Connection, namespace_id: int, after: UUID, *, least_cosine: float, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """Return pairs that the Indexer linked, in the order of their first id."""
    rows = await connection.fetch(
        query("curation", "similar"), namespace_id, after, least_cosine, limit
    )
    return [(row["from_id"], row["to_id"]) for row in rows]


async def candidates(
    connection: Connection, namespace_id: int, ids: Sequence[UUID]
) -> Mapping[UUID, Row]:
    """Return those of these memories that may be merged."""
    rows = await connection.fetch(query("curation", "candidates"), namespace_id, ids)
    return {row["id"]: row for row in rows}


async def merge(connection: Connection, namespace_id: int, kept: UUID, merged: UUID) -> None:
    """Supersede one memory by another, which takes over its links, accesses and feedback.

    In the caller's transaction, which has locked both. As a revision does it: the merged memory
    stays in the term statistics until it is removed, and `as_of` still finds it.
    """
    await connection.execute(query("revisions", "supersede"), namespace_id, merged, kept)
    for moved in _MOVED:
        await connection.execute(query("curation", moved), namespace_id, kept, merged)


async def enrich(
    connection: Connection,
    namespace_id: int,
    memory_id: UUID,
    *,
    tags: Sequence[str],
    entities: Sequence[str],
    salience: float,
) -> None:
    """Give a memory what those that it replaced had."""
    await connection.execute(
        query("curation", "enrich"), namespace_id, memory_id, tags, entities, salience
    )
