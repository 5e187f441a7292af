"""Generations on a real PostgreSQL: every write that changes an answer raises one, none is lost."""

import asyncio
from uuid import UUID

import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.errors import DatabaseUnavailable
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.vectors.generations import Generations, fold_generations
from tests.support.indexed import encode
from tests.support.remembered import EMBEDDER, register
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NS = 7
OTHER = 8
TABLES = ("memories", "memory_vectors", "memory_windows", "corpus_stats")


class Watched:
    """Tells whether a namespace's generation has risen since it was last asked."""

    def __init__(self, database: Database) -> None:
        self._generations = Generations(database)
        self._last = 0

    async def number(self, namespace_id: int = NS) -> int:
        """Return the namespace's generation."""
        return (await self._generations.of(namespace_id)).number

    async def has_risen(self) -> bool:
        """Return whether it is greater than the last time, and remember it."""
        before, self._last = self._last, await self.number()
        return self._last > before


@pytest.fixture
def watched(database: Database) -> Watched:
    """The test namespace's generation."""
    return Watched(database)


async def rows(database: Database) -> int:
    """Return how many rows the generations take."""
    async with database.service() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM pinak.generations"))


async def test_every_path_of_a_memory_raises_it(database: Database, watched: Watched) -> None:
    """COPY, the detour of a retry, the Indexer, windows, a change and expiry each do."""
    model_id = await register(database, EMBEDDER.model.dimension)
    vector = encode_halfvec_one((await EMBEDDER.embed(["x"]))[0])
    first = encode_memory(new_memory(NS, "ada", "one", session="s"))
    brought = encode_memory(new_memory(NS, "ada", "two", vector=vector), model_id=model_id)

    await commit_memories(database, [first])
    assert await watched.has_risen()
    await commit_memories(database, [first, brought])
    assert await watched.has_risen()
    await index_some(database, encode, model_id=model_id, limit=1)
    assert await watched.has_risen()
    # Its vector is there already: what changes are the words' statistics.
    await index_some(database, encode, model_id=model_id, limit=1)
    assert await watched.has_risen()
    await settle_some(database, encode, model_id=model_id, quiet_s=0.0)
    assert await watched.has_risen()
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.memories SET expires_at = now()")
    assert await watched.has_risen()
    assert await purge_expired(database) == 2
    assert await watched.has_risen()

    assert not await watched.has_risen()
    await commit_memories(database, [first])
    await commit_memories(database, [first])
    assert await watched.has_risen(), "it had expired, and is stored anew"
    assert await watched.number(OTHER) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_every_statement_on_what_answers_raises_it(
    database: Database, watched: Watched, table: str
) -> None:
    """INSERT, UPDATE and DELETE on each table do, unless they touch no row."""
    model_id = await register(database, EMBEDDER.model.dimension)
    await commit_memories(database, [encode_memory(new_memory(NS, "ada", "one", session="s"))])
    await index_some(database, encode, model_id=model_id)
    await settle_some(database, encode, model_id=model_id, quiet_s=0.0)
    columns = {
        "memories": "namespace_id, id, agent, layer, content, content_hash",
        "memory_vectors": "namespace_id, model_id, kind, memory_id, embedding",
    }.get(table, "*")
    async with database.service() as connection:
        await connection.execute(
            f"CREATE TEMP TABLE kept AS SELECT {columns} FROM pinak.{table} LIMIT 1"
        )
        names = "" if columns == "*" else f"({columns})"
        await watched.has_risen()
        for statement, touches in (
            (f"UPDATE pinak.{table} SET namespace_id = namespace_id", True),
            (f"UPDATE pinak.{table} SET namespace_id = namespace_id WHERE false", False),
            (f"DELETE FROM pinak.{table}", True),
            (f"DELETE FROM pinak.{table}", False),
            (f"INSERT INTO pinak.{table} {names} SELECT * FROM kept WHERE false", False),
            (f"INSERT INTO pinak.{table} {names} SELECT * FROM kept", True),
        ):
            await connection.execute(statement)
            assert await watched.has_risen() is touches, statement


async def test_what_was_rolled_back_raises_nothing(database: Database, watched: Watched) -> None:
    """The generation is part of the write's own transaction."""
    async with database.service() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await _insert(connection, 1)
        assert await watched.number() == 0
        await transaction.rollback()
    assert await watched.number() == 0


async def test_transactions_that_commit_in_reverse_are_both_seen(
    database: Database, watched: Watched
) -> None:
    """Of two that write at once neither waits for the other; each commit raises what is read."""
    async with database.service() as one, database.service() as other:
        begun_first, begun_last = one.transaction(), other.transaction()
        await begun_first.start()
        await _insert(one, 1)
        await begun_last.start()
        async with asyncio.timeout(60):
            await _insert(other, 2)
        await begun_last.commit()
        assert await watched.has_risen()
        # A fold in between takes what is committed, and leaves the other's row alone.
        await fold_generations(database)
        assert not await watched.has_risen()
        await begun_first.commit()
    assert await watched.has_risen()


async def test_a_fold_keeps_every_sum(database: Database, watched: Watched) -> None:
    """Folded again and again, beside each other and beside writes, no generation ever falls."""
    model_id = await register(database, EMBEDDER.model.dimension)
    done = asyncio.Event()
    seen: list[int] = []

    async def write() -> None:
        for number in range(40):
            memories = [new_memory(ns, "ada", f"{number}") for ns in (NS, OTHER)]
            await commit_memories(database, [encode_memory(memory) for memory in memories])
        done.set()

    async def fold() -> None:
        while not done.is_set():
            await fold_generations(database)

    async def look() -> None:
        while not done.is_set():
            seen.append(await watched.number())

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for work in (write, fold, fold, look):
            tasks.create_task(work())
    assert seen == sorted(seen)
    assert (await watched.number(), await watched.number(OTHER)) == (40, 40)
    await fold_generations(database)
    await fold_generations(database)
    assert (await watched.number(), await watched.number(OTHER)) == (40, 40)
    assert await rows(database) == 2
    assert await fold_generations(database) == 0
    assert model_id


async def test_who_asks_late_is_not_told_what_was_read_before(database: Database) -> None:
    """Callers share a read only if it begins after they asked: each sees its own last write."""
    generations = Generations(database)

    async def write_and_ask(agent: int) -> None:
        last = 0
        for _ in range(20):
            await commit_memories(database, [encode_memory(new_memory(NS, f"{agent}", "x"))])
            now = (await generations.of(NS)).number
            assert now > last, "the write was committed before this read was asked for"
            last = now

    async with asyncio.timeout(60):
        await asyncio.gather(*(write_and_ask(agent) for agent in range(4)))
    assert (await generations.of(NS)).number == 80


async def test_many_callers_share_few_reads(database: Database) -> None:
    """A hundred at once wait for two round trips, of all namespaces together."""
    generations = Generations(database)
    found = await asyncio.gather(*(generations.of(ns) for ns in range(100)))
    assert {each.number for each in found} == {0}
    assert len({each.read_at for each in found}) == 1


async def test_a_failed_read_is_not_kept(database: Database) -> None:
    """After an outage the next caller asks anew."""
    generations = Generations(database)
    async with database.service() as connection:
        await connection.execute("ALTER TABLE pinak.generations RENAME TO away")
        with pytest.raises(DatabaseUnavailable, match="lacks a table"):
            await generations.of(NS)
        await connection.execute("ALTER TABLE pinak.away RENAME TO generations")
    assert (await generations.of(NS)).number == 0


async def _insert(connection: object, number: int) -> None:
    await connection.execute(  # type: ignore[attr-defined]
        "INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, content_hash) "
        "VALUES ($1, $2, 'ada', 'semantic', 'x', '')",
        NS,
        UUID(int=number),
    )
