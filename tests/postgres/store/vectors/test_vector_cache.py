"""Vectors in a process's memory: quicker, and never another answer than the database's."""

import asyncio
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.nudges.evidence import CANDIDATES
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.nudges.resembling import find_evidence, find_words
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.memories import Outcome, new_memory
from pinak_ray.records.memory.nudges import new_intent
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.operations import Intend
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.revisions import forget_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.vectors.segments import seal_some
from pinak_ray.store.vectors.vector_cache import NOTHING_KNOWN, Known, VectorCache
from pinak_ray.store.vectors.vector_tables import Rows
from tests.support.remembered import DIMENSION, EMBEDDER, register

pytestmark = pytest.mark.postgres

NS, OTHER = 1, 2
BOB = Owner(NS, Space.AGENT, "bob")
NEAREST = (
    "SELECT id FROM pinak.nearest($1, 0::smallint, $2, 10, NULL,"
    " ROW($3::uuid[], $4::float8[], $5::bigint)::pinak.known)"
)
ENOUGH = 1_100
RNG = np.random.default_rng(9)
EITHER = pytest.mark.parametrize("exact_rows", [ENOUGH, ENOUGH - 1], ids=["exact", "sketches"])


def random_vector() -> bytes:
    """Return a direction that nobody chose, in halfvec form."""
    return encode_halfvec_one(RNG.normal(size=DIMENSION).astype(np.float32))


async def store(
    database: Database, model_id: int, count: int, namespace_id: int = NS
) -> list[UUID]:
    """Store memories with random vectors; every third is a failure."""
    memories = [
        new_memory(
            namespace_id, "ada", f"entry {n}", vector=random_vector(),
            outcome=Outcome.FAILURE if n % 3 == 0 else None,
        )
        for n in range(count)
    ]  # fmt: skip
    await commit_memories(database, [encode_memory(m, model_id=model_id) for m in memories])
    return [memory.id for memory in memories]


async def nearest(database: Database, model_id: int, vector: bytes, known: Known) -> list[UUID]:
    """Return the ten that the database finds nearest, told what is known."""
    async with database.reading(NS) as connection:
        found = await connection.fetch(NEAREST, model_id, vector, *known)
    return [row["id"] for row in found]


async def failures(database: Database, model_id: int, vector: bytes, known: Known) -> set[UUID]:
    """Return the failures that an intent with this vector meets, told what is known."""
    intend = Intend(BOB, new_intent("zebra"))
    evidence = await find_evidence(
        database, intend, model_id=model_id, vector=vector, cooldown=timedelta(0), known=known,
        words=await find_words(database, intend, facts=False), knows=str.isascii,
    )  # fmt: skip
    return {each.row["id"] for each in evidence}


async def check_the_same(database: Database, cache: VectorCache, model_id: int) -> None:
    """Compare what is found with what is found without the cache."""
    for _ in range(10):
        vector = random_vector()
        known = await cache.known(NS, 0, vector, 10)
        assert known != NOTHING_KNOWN
        found = await nearest(database, model_id, vector, known)
        assert found == await nearest(database, model_id, vector, NOTHING_KNOWN)
        assert len(found) == 10
        known = await cache.known(NS, 0, vector, CANDIDATES, failures=True)
        met = await failures(database, model_id, vector, known)
        assert met == await failures(database, model_id, vector, NOTHING_KNOWN)
        assert len(met) == CANDIDATES


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


async def held(cache: VectorCache, namespace_id: int = NS) -> bool:
    """Ask once, so that the cache looks, and return whether it holds the namespace then."""
    await cache.known(namespace_id, 0, random_vector(), 10)
    return await cache.loaded(namespace_id, 0)


@EITHER
async def test_the_answer_is_the_databases_whatever_was_written_since(
    database: Database, model_id: int, exact_rows: int
) -> None:
    """New memories count at once, forgotten ones not any more, among failures and among all."""
    ids = await store(database, model_id, ENOUGH)
    cache = VectorCache(database, model_id, exact_rows=exact_rows)
    assert await held(cache)
    distances = (await cache.known(NS, 0, random_vector(), 10)).distances
    assert (distances is None) == (exact_rows < ENOUGH)
    await check_the_same(database, cache, model_id)

    await store(database, model_id, 60)
    for id_ in ids[:40]:
        await forget_memory(database, NS, id_)
    await check_the_same(database, cache, model_id)
    await cache.aclose()


async def test_a_namespace_that_grows_large_is_held_as_sketches(
    database: Database, model_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held follows the namespace: more vectors, then too many for exact ones."""
    monkeypatch.setattr("pinak_ray.store.vectors.vector_cache._LOOK_EVERY_S", 0.0)
    await store(database, model_id, 400)
    cache = VectorCache(database, model_id, exact_rows=1_000)
    ends = []
    for more, exact in ((300, True), (300, True), (300, True), (300, False), (0, False)):
        assert await held(cache)
        known = await cache.known(NS, 0, random_vector(), 10)
        assert (known.distances is not None) == exact
        assert await cache.loaded(NS, 0)
        ends.append(known.since)
        await check_the_same(database, cache, model_id)
        await store(database, model_id, more)
    assert ends == sorted(set(ends))
    await cache.aclose()


async def test_where_most_of_what_is_known_is_gone_the_segments_are_asked(
    database: Database, model_id: int
) -> None:
    """Nobody waits for a comparison of all because what is held is mostly forgotten."""
    ids = await store(database, model_id, ENOUGH)
    async with database.service() as connection:  # as the Indexer would have counted them
        await connection.execute("INSERT INTO pinak.corpus_stats VALUES ($1, $2, 0)", NS, ENOUGH)
    assert await seal_some(database, model_id=model_id, seal_at=200) == ENOUGH
    cache = VectorCache(database, model_id, exact_rows=1_000)
    assert await held(cache)
    await check_the_same(database, cache, model_id)
    for id_ in ids[40:]:
        await forget_memory(database, NS, id_)
    vector = random_vector()
    known = await cache.known(NS, 0, vector, 10)
    assert known.ids is not None
    assert len(set(known.ids) & set(ids[:40])) < 40
    found = await nearest(database, model_id, vector, known)
    assert len(found) == 10
    assert found == await nearest(database, model_id, vector, NOTHING_KNOWN)
    await cache.aclose()


async def test_what_does_not_fit_is_left_to_the_database(
    database: Database, model_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A namespace larger than the whole budget is not held, and not read again and again."""
    monkeypatch.setattr("pinak_ray.store.vectors.vector_cache._LOOK_EVERY_S", 0.0)
    pages = []
    decode = Rows.decode

    def seen(ids: bytes, vectors: bytes, is_failure: bytes) -> Rows:
        pages.append(len(is_failure))
        return decode(ids, vectors, is_failure)

    monkeypatch.setattr(Rows, "decode", seen)
    await store(database, model_id, ENOUGH)
    cache = VectorCache(database, model_id, budget_bytes=10_000, exact_rows=1_000)
    assert not await held(cache)
    assert not await held(cache)
    assert pages == [ENOUGH]
    await cache.aclose()


async def test_a_writer_that_commits_late_is_not_missed(database: Database, model_id: int) -> None:
    """A vector with a low number that is committed after the load began is found all the same."""
    await store(database, model_id, ENOUGH)
    (late,) = await store(database, model_id, 1)
    cache = VectorCache(database, model_id)
    async with database.service() as connection:
        row = await connection.fetchrow(
            "DELETE FROM pinak.memory_vectors WHERE memory_id = $1 RETURNING *", late
        )
        assert row is not None
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO pinak.memory_vectors (namespace_id, model_id, kind, memory_id, embedding)"
            " VALUES ($1, $2, 0, $3, $4)",
            NS, model_id, late, row["embedding"],
        )  # fmt: skip
        await store(database, model_id, 5)  # numbers behind the one that is not committed
        loading = asyncio.create_task(held(cache))
        done, _ = await asyncio.wait({loading}, timeout=0.5)
        assert not done, "it was loaded while a lower number could still come"
        await transaction.commit()
    assert await loading

    vector = bytes(row["embedding"])
    known = await cache.known(NS, 0, vector, 10)
    assert (await nearest(database, model_id, vector, known))[0] == late
    await cache.aclose()


async def test_it_holds_what_is_worth_it_and_no_more_than_its_budget(
    database: Database, model_id: int
) -> None:
    """A small namespace is left to the database; the one used longest ago makes room."""
    await store(database, model_id, 50)
    await store(database, model_id, ENOUGH, OTHER)
    cache = VectorCache(database, model_id, budget_bytes=ENOUGH * (DIMENSION * 4 + 201))
    assert not await held(cache)
    assert await held(cache, OTHER)

    await store(database, model_id, ENOUGH)
    again = VectorCache(database, model_id, budget_bytes=cache.budget_bytes * 3 // 2)
    assert await held(again, OTHER)
    assert await held(again)
    assert not await again.loaded(OTHER, 0)
    await cache.aclose()
    await again.aclose()


@EITHER
async def test_recalls_and_nudges_go_by_it(
    database: Database, model_id: int, exact_rows: int
) -> None:
    """The default recall and an intent give the same with it, once it holds their namespace."""
    await store(database, model_id, ENOUGH)
    cache = VectorCache(database, model_id, exact_rows=exact_rows)
    assert await held(cache)
    await store(database, model_id, 40)  # which it does not hold
    for recipe in ("dense", "default", "rrf"):
        asked = new_recall("entry 77", k=20, recipe=recipe)
        by_cache = await Recaller(database, EMBEDDER, model_id, cache).recall(NS, asked)
        by_database = await Recaller(database, EMBEDDER, model_id).recall(NS, asked)
        assert [hit.id for hit in by_cache.hits] == [hit.id for hit in by_database.hits]
        scores = [hit.score for hit in by_database.hits]
        assert [hit.score for hit in by_cache.hits] == pytest.approx(scores, abs=1e-5)

    intend = Intend(BOB, new_intent("delete entry 33 by force"), 3, True)
    with_it = await Nudger(database, EMBEDDER, model_id, vectors=cache).nudge(intend)
    without = await Nudger(database, EMBEDDER, model_id).nudge(intend)
    assert [nudge.id for nudge in with_it] == [nudge.id for nudge in without]
    await cache.aclose()
