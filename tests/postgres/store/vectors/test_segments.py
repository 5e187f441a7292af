"""Segments: a large namespace is searched by index, and finds what an exact search finds."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.vectors.segment_recall import measure_recall
from pinak_ray.store.vectors.segments import drop_segments, seal_some, unsealed
from tests.support.remembered import DIMENSION, register

pytestmark = pytest.mark.postgres

NS, OTHER = 1, 2
SEAL_AT = 200
RNG = np.random.default_rng(4)
NEAREST = "SELECT id, distance FROM pinak.nearest($1, 0::smallint, $2, $3, $4::text::pinak.filters)"


async def store(database: Database, model_id: int, count: int, **fields: Any) -> list[UUID]:
    """Store memories with vectors of their own, and count them as the Indexer would."""
    namespace_id = fields.pop("namespace_id", NS)
    agent = fields.pop("agent", "ada")
    memories = [
        new_memory(
            namespace_id, agent, f"entry {n}",
            vector=encode_halfvec_one(RNG.normal(size=DIMENSION).astype(np.float32)), **fields,
        )
        for n in range(count)
    ]  # fmt: skip
    await commit_memories(database, [encode_memory(m, model_id=model_id) for m in memories])
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.corpus_stats AS c VALUES ($1, $2, 0)"
            " ON CONFLICT (namespace_id) DO UPDATE SET documents = c.documents + $2",
            namespace_id, count,
        )  # fmt: skip
    return [memory.id for memory in memories]


async def seal(database: Database, model_id: int) -> list[int]:
    """Build all that is due and return the sizes."""
    sizes = []
    while rows := await seal_some(database, model_id=model_id, seal_at=SEAL_AT):
        sizes.append(rows)
    return sizes


async def fetch(database: Database, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Run one statement for all namespaces."""
    async with database.service() as connection:
        rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        return rows


async def nearest(
    database: Database, model_id: int, wanted: int = 10, filters: str | None = None, ns: int = NS
) -> list[UUID]:
    """Return the nearest to a random vector, as a reader of the namespace sees them."""
    vector = encode_halfvec_one(RNG.normal(size=DIMENSION).astype(np.float32))
    async with database.reading(ns) as connection:
        rows = await connection.fetch(NEAREST, model_id, vector, wanted, filters)
        exact = await connection.fetch(
            "SELECT v.memory_id AS id FROM pinak.memory_vectors AS v"
            " JOIN pinak.memories AS m ON m.namespace_id = v.namespace_id AND m.id = v.memory_id"
            " WHERE v.model_id = $1 AND v.kind = 0 AND pinak.passes(m, $4::text::pinak.filters)"
            " ORDER BY v.embedding <=> $2, v.memory_id LIMIT $3",
            model_id, vector, wanted, filters,
        )  # fmt: skip
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)
    found, expected = [row["id"] for row in rows], [row["id"] for row in exact]
    assert len(found) == len(expected)
    assert len(set(found) & set(expected)) >= 0.9 * len(expected)
    return found


@pytest.fixture
async def model_id(database: Database) -> int:
    """The model of the test's vectors."""
    return await register(database)


async def test_a_tail_becomes_a_segment_and_nothing_is_lost(
    database: Database, model_id: int
) -> None:
    """Sealed vectors and those behind them are found together, in the order of their distance."""
    await store(database, model_id, SEAL_AT)
    assert await unsealed(database, model_id=model_id, seal_at=SEAL_AT) == SEAL_AT
    assert await seal(database, model_id) == [SEAL_AT]
    assert await unsealed(database, model_id=model_id, seal_at=SEAL_AT) == 0
    await store(database, model_id, SEAL_AT // 2)
    for _ in range(5):
        assert len(await nearest(database, model_id)) == 10


async def test_a_small_namespace_keeps_its_exact_scan(database: Database, model_id: int) -> None:
    """Beside a namespace of segments, 1% of it returns all of its k rows."""
    await store(database, model_id, 5 * SEAL_AT)
    own = await store(database, model_id, 10, namespace_id=OTHER)
    assert await seal(database, model_id) == [5 * SEAL_AT]
    assert set(await nearest(database, model_id, ns=OTHER)) == set(own)


async def test_four_segments_become_one(database: Database, model_id: int) -> None:
    """So that a search walks few indexes; who is searching the old ones may finish first."""
    for _ in range(3):
        await store(database, model_id, SEAL_AT)
        assert await seal(database, model_id) == [SEAL_AT]
    await store(database, model_id, SEAL_AT)
    assert await seal(database, model_id) == [SEAL_AT, 4 * SEAL_AT]
    searched = "SELECT id FROM pinak.segments WHERE replaced_at IS NULL"
    assert len(await fetch(database, searched)) == 1
    assert len(await fetch(database, "TABLE pinak.segments")) == 5
    await nearest(database, model_id)
    await fetch(database, "UPDATE pinak.segments SET replaced_at = replaced_at - interval '1 hour'")
    await seal(database, model_id)
    tables = "SELECT FROM pg_tables WHERE tablename LIKE 'segment\\__%'"
    assert (
        len(await fetch(database, tables))
        == len(await fetch(database, "TABLE pinak.segments"))
        == 1
    )


async def test_what_is_gone_is_gone_at_once(database: Database, model_id: int) -> None:
    """A superseded or expired memory of a segment is never returned; others take its place."""
    ids = await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    before = set(await nearest(database, model_id, 20))
    gone = "UPDATE pinak.memories SET superseded_by = id, superseded_at = now() WHERE id = ANY ($1)"
    await fetch(database, gone, list(before))
    after = set(await nearest(database, model_id, 20))
    assert not after & before
    left = [id_ for id_ in ids if id_ not in before][:-5]
    await fetch(database, "UPDATE pinak.memories SET expires_at = now() WHERE id = ANY ($1)", left)
    assert len(await nearest(database, model_id, 20)) == 5


async def test_filters_hold_in_segments(database: Database, model_id: int) -> None:
    """A filter that few pass returns all of them, one that many pass returns k."""
    few = await store(database, model_id, 3, agent="rare")
    await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    assert set(await nearest(database, model_id, 10, "(,{rare},,,,,,,,,)")) == set(few)
    assert len(await nearest(database, model_id, 10, "(,{ada},,,,,,,,,)")) == 10


async def test_a_transaction_that_is_late_is_waited_for(database: Database, model_id: int) -> None:
    """What took its number before the range was chosen, and commits after, is in the segment."""
    await store(database, model_id, SEAL_AT // 2)
    late = [
        encode_memory(
            new_memory(NS, "ada", "late", vector=encode_halfvec_one(np.ones(DIMENSION))),
            model_id=model_id,
        )
    ]
    async with database.service() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO pinak.memory_vectors (namespace_id, model_id, memory_id, embedding)"
            " VALUES ($1, $2, $3, $4)",
            NS, model_id, late[0].key[1], encode_halfvec_one(np.ones(DIMENSION)),
        )  # fmt: skip
        await store(database, model_id, SEAL_AT // 2)
        assert await seal_some(database, model_id=model_id, seal_at=SEAL_AT) == 0
        await transaction.commit()
    assert await seal(database, model_id) == [SEAL_AT + 1]


async def test_two_indexers_build_each_segment_once(database: Database, model_id: int) -> None:
    """Whoever comes second takes another one, or none."""
    await store(database, model_id, SEAL_AT)
    built = await asyncio.gather(
        *(seal_some(database, model_id=model_id, seal_at=SEAL_AT) for _ in range(3))
    )
    assert sum(built) == SEAL_AT
    assert len(await fetch(database, "TABLE pinak.segments")) == 1


async def test_a_segment_that_is_mostly_gone_is_built_anew(
    database: Database, model_id: int
) -> None:
    """A walk past what was deleted costs more than a smaller segment."""
    ids = await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    await fetch(database, "DELETE FROM pinak.memory_vectors WHERE memory_id = ANY ($1)", ids[:150])
    await fetch(database, "UPDATE pinak.segments SET checked_at = now() - interval '1 hour'")
    assert await seal(database, model_id) == [SEAL_AT - 150]


async def test_no_other_namespace_reads_a_segment(database: Database, model_id: int) -> None:
    """Even by the table's own name."""
    await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    (row,) = await fetch(database, "SELECT id FROM pinak.segments")
    count = f"SELECT count(*) FROM pinak.segment_{row['id']}"
    async with database.reading(OTHER) as connection:
        assert await connection.fetchval(count) == 0
        assert await connection.fetchval("SELECT count(*) FROM pinak.segments") == 0
    async with database.reading(NS) as connection:
        assert await connection.fetchval(count) == SEAL_AT


async def test_a_models_segments_are_dropped_with_it(database: Database, model_id: int) -> None:
    """Its tables go, and the search is exact again."""
    await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    async with database.service() as connection, connection.transaction():
        await drop_segments(connection, model_id)
    assert await fetch(database, "TABLE pinak.segments") == []
    await nearest(database, model_id)


async def test_recall_is_measured_against_an_exact_search(
    database: Database, model_id: int
) -> None:
    """What `doctor` says of segments is found by trying."""
    assert await measure_recall(database) is None
    await store(database, model_id, SEAL_AT)
    await seal(database, model_id)
    measured = await measure_recall(database)
    assert measured is not None
    assert measured[:3] == (NS, SEAL_AT, 1)
    assert 0.9 <= measured.recall <= 1
