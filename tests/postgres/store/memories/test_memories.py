"""Memories by COPY: every field, every retry, every refusal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import numpy as np
import orjson
import pytest

from pinak_ray.concurrency.group_commit import GroupCommit
from pinak_ray.embedding import encode_halfvec, encode_halfvec_one
from pinak_ray.migrations import runner
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.faults import is_transient, translated
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.memories.memories import (
    Duplicate,
    commit_memories,
    content_hash,
    encode_memory,
)
from tests.support.remembered import DIMENSION, EMBEDDER, register

pytestmark = pytest.mark.postgres

NS = 7
VECTOR = encode_halfvec_one(np.linspace(-1, 1, DIMENSION, dtype=np.float32))

FULL: dict[str, Any] = {
    "layer": "episodic",
    "session": "sitzung/ü",
    "details": {"ticket": 42, "ü": ["\\u0000", '"', None, 1.5, {"deep": True}]},
    "tags": ['with "quotes"', "with,comma", "{brace}", "back\\slash", "NULL", "ü 🦜"],
    "entities": ["orders", "o'brien"],
    "outcome": "failure",
    "salience": 0.25,
    "occurred_at": datetime(1999, 12, 31, 23, 59, 59, 123457, tzinfo=UTC),
    "ttl_s": 3600.5,
    "source": "https://example.org/?q=ü",
}


def a_memory(content: str = "the build is slow", **fields: Any) -> Memory:
    """Return a memory of the test's namespace."""
    return new_memory(fields.pop("namespace_id", NS), "ada", content, **fields)


async def commit(database: Database, *memories: Memory, model_id: int | None = None) -> Any:
    """Commit the memories as one batch and return the fates."""
    return await commit_memories(database, [encode_memory(m, model_id=model_id) for m in memories])


async def fetch(database: Database, statement: str, *arguments: Any) -> list[asyncpg.Record]:
    """Return rows, past every policy."""
    async with database.service() as connection:
        return list(await connection.fetch(statement, *arguments))


async def contents(database: Database) -> list[str]:
    """Return what is stored, oldest id first."""
    return [r["content"] for r in await fetch(database, "SELECT * FROM pinak.memories ORDER BY id")]


@pytest.mark.parametrize("fields", [{}, FULL], ids=["sparse", "full"])
async def test_every_field_comes_back(database: Database, fields: dict[str, Any]) -> None:
    """A committed memory reads back field by field: Unicode, nulls, quotes, JSON, times."""
    memory = a_memory("Straße 🦜\n\t\\N 'x' \"y\"", **fields)
    assert await commit(database, memory) == {}
    (row,) = await fetch(database, "SELECT * FROM pinak.memories")
    read = {name: row[name] for name in Memory._fields if name not in ("vector", "details")}

    assert {
        **{k: v for k, v in memory._asdict().items() if k not in ("vector", "details")},
        "tags": list(memory.tags),
        "entities": list(memory.entities),
    } == read
    assert orjson.loads(memory.details) == orjson.loads(row["details"])
    assert (content_hash(memory.content.encode()), None) == (
        row["content_hash"],
        row["superseded_by"],
    )


async def test_an_id_that_is_there_is_a_duplicate(database: Database) -> None:
    """The first content stays, and the others of the batch are stored."""
    first = a_memory("first")
    await commit(database, first)
    fates = await commit(database, a_memory("new"), first._replace(content="second"))

    assert list(fates) == [1]
    assert isinstance(fates[1], Duplicate)
    assert await contents(database) == ["first", "new"]


async def test_the_same_id_twice_in_one_batch_is_stored_once(database: Database) -> None:
    """The first of the two is new, the second a duplicate."""
    first = a_memory("first")
    fates = await commit(database, first, first._replace(content="second"), a_memory("third"))

    assert list(fates) == [1]
    assert await contents(database) == ["first", "third"]


async def test_a_batch_may_be_committed_again(database: Database) -> None:
    """After a lost reply the same batch changes nothing, and is queued for indexing once."""
    memories = [a_memory(f"{index}") for index in range(5)]
    assert await commit(database, *memories) == {}
    fates = await commit(database, *memories)
    queued = await fetch(database, "SELECT unnest(memory_ids) AS id FROM pinak.index_queue")

    assert sorted(fates) == [0, 1, 2, 3, 4]
    assert [memory.content for memory in memories] == await contents(database)
    assert sorted(memory.id for memory in memories) == sorted(row["id"] for row in queued)


async def test_one_id_may_live_in_two_namespaces(database: Database) -> None:
    """A batch may serve many namespaces; an id is unique within its own."""
    memories = [a_memory(f"{n}", namespace_id=n) for n in range(1, 6)]
    shared = memories[0]._replace(namespace_id=2)
    assert await commit(database, *memories, shared) == {}
    rows = await fetch(database, "SELECT namespace_id, content FROM pinak.memories")

    assert sorted([*((n, f"{n}") for n in range(1, 6)), (2, "1")]) == sorted(map(tuple, rows))


async def test_a_bad_row_fails_alone(database: Database) -> None:
    """Behind group commit a row that only the database can refuse does not hold up the others."""
    bad = a_memory("bad")._replace(layer="rag")  # type: ignore[arg-type]
    batch = [a_memory("one"), bad, a_memory("two")]
    commits: GroupCommit[Any, Duplicate] = GroupCommit(
        lambda items: commit_memories(database, items),
        "the writer",
        is_transient=is_transient,
        translated=translated,
    )
    fates = await commits.submit([encode_memory(memory) for memory in batch])
    await commits.aclose()

    assert {1: InvalidInput} == {index: type(fate) for index, fate in fates.items()}
    assert await contents(database) == ["one", "two"]


async def test_a_callers_vector_is_stored_with_the_memory(database: Database) -> None:
    """Vectors that came along are committed in the same transaction, once, duplicates too."""
    model_id = await register(database)
    first = a_memory("with a vector", vector=VECTOR)
    await commit(database, first, a_memory("without"), model_id=model_id)
    await commit(database, first, a_memory("second", vector=VECTOR), model_id=model_id)
    rows = await fetch(
        database,
        "SELECT content, embedding FROM pinak.memory_vectors AS v JOIN pinak.memories AS m "
        "ON m.id = v.memory_id ORDER BY m.id",
    )

    assert [tuple(row) for row in rows] == [("with a vector", VECTOR), ("second", VECTOR)]


async def test_a_vector_of_another_length_stores_nothing(database: Database) -> None:
    """The partition's check refuses it, and the memory goes with it: both or none."""
    model_id = await register(database)
    short = encode_halfvec_one(np.ones(DIMENSION - 1, dtype=np.float32))
    with pytest.raises(InvalidInput):
        await commit(database, a_memory(vector=short), model_id=model_id)

    assert await contents(database) == []


@pytest.fixture
async def plain_owner(template: str, empty_dsn: str) -> AsyncIterator[Database]:
    """A schema whose owner is neither superuser nor exempt from row-level security."""
    del template  # only so that pinak_app is there already, as on a server used before
    name = f"plain_{uuid4().hex}"
    parts = urlsplit(empty_dsn)
    admin = await asyncpg.connect(empty_dsn)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'plain' NOBYPASSRLS CREATEROLE")
    await admin.execute(f"GRANT CREATE ON DATABASE {parts.path[1:]} TO {name}")
    await admin.execute(f"GRANT pinak_app TO {name} WITH ADMIN OPTION")
    await admin.execute("CREATE EXTENSION vector")
    netloc = f"{name}:plain@{parts.netloc.rpartition('@')[2]}"
    dsn = urlunsplit(parts._replace(netloc=netloc))
    await asyncio.to_thread(runner.upgrade, dsn)
    async with await Database.open(dsn, service_connections=2) as opened:
        yield opened
    await admin.execute(f"DROP OWNED BY {name} CASCADE")
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


async def test_a_role_under_row_level_security_writes_through_staging(
    plain_owner: Database,
) -> None:
    """Where COPY is forbidden the batch is merged: new rows, duplicates, vectors and indexing."""
    model_id = await register(plain_owner)
    first, second = a_memory("first", vector=VECTOR), a_memory("second", **FULL)
    assert await commit(plain_owner, first, second, model_id=model_id) == {}
    fates = await commit(plain_owner, first, a_memory("third"), model_id=model_id)

    async def encode(texts: Sequence[str]) -> Sequence[bytes]:
        return encode_halfvec(await EMBEDDER.embed(texts))

    done = await index_some(plain_owner, encode, model_id=model_id)
    vectors = await fetch(plain_owner, "SELECT memory_id FROM pinak.memory_vectors")

    assert list(fates) == [0]
    assert await contents(plain_owner) == ["first", "second", "third"]
    assert (done.memories, done.vectors) == (3, 2)
    assert len(vectors) == 3
