"""The indexing queue: every memory gets its vector and is counted, once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from indexed import check_statistics, encode, fetch, vectors
from remembered import DIMENSION, register
from waiting import until

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.errors import DatabaseUnavailable, InvalidInput, Unavailable
from pinak_ray.records.memories import Memory, new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.indexing import (
    MAX_ATTEMPTS,
    IndexedBatch,
    Key,
    index_some,
    not_searchable,
    owed,
)
from pinak_ray.store.memories import commit_memories, encode_memory
from pinak_ray.store.queries import query
from pinak_ray.store.searchable import SearchableWaits

pytestmark = pytest.mark.postgres


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


async def commit(
    database: Database, *contents: str, namespace_id: int = 7, **fields: Any
) -> list[Memory]:
    """Commit memories as one batch, which is one row of the queue."""
    memories = [new_memory(namespace_id, "ada", content, **fields) for content in contents]
    assert not await commit_memories(database, [encode_memory(memory) for memory in memories])
    return memories


def keys_of(memories: Sequence[Memory]) -> frozenset[Key]:
    """Return the primary keys."""
    return frozenset((memory.namespace_id, memory.id) for memory in memories)


async def poisoned(texts: Sequence[str]) -> Sequence[bytes]:
    """Embed, but refuse poison as an endpoint would."""
    if "poison" in texts:
        raise InvalidInput("the embedding endpoint refused the text")
    return await encode(texts)


async def test_every_memory_is_indexed_once(database: Database, model_id: int) -> None:
    """One pass stores the vectors of what was committed and counts its words, the next none."""
    memories = [
        *await commit(database, "orders are locked", "the orders table"),
        *await commit(database, "orders", namespace_id=8),
        *await commit(database, "who said it counts", session="s"),
    ]
    first = await index_some(database, encode, model_id=model_id)
    second = await index_some(database, encode, model_id=model_id)
    (said,) = await encode(["ada: who said it counts"])

    assert IndexedBatch(keys_of(memories), rows=3, vectors=4) == first
    assert IndexedBatch(frozenset(), rows=0, vectors=0) == second
    assert {memory.id for memory in memories} == (await vectors(database)).keys()
    assert said == (await vectors(database))[memories[-1].id]
    await check_statistics(database)


async def test_a_pass_takes_as_many_memories_as_it_may(database: Database, model_id: int) -> None:
    """The oldest batches go first, small ones together, and one that is too large alone."""
    for index, size in enumerate((1, 1, 2, 6, 1)):
        await commit(database, *(f"{index} {number}" for number in range(size)))
    passes = [await index_some(database, encode, model_id=model_id, limit=4) for _ in "abcd"]

    assert [(one.rows, one.memories) for one in passes] == [(3, 4), (1, 6), (1, 1), (0, 0)]
    await check_statistics(database)


async def test_a_callers_vector_is_kept_and_its_words_are_counted(
    database: Database, model_id: int
) -> None:
    """A memory that brought its vector is not embedded again."""
    given = encode_halfvec_one(np.ones(DIMENSION, dtype=np.float32))
    memory = new_memory(7, "ada", "brought along", vector=given)
    await commit_memories(database, [encode_memory(memory, model_id=model_id)])
    done = await index_some(database, encode, model_id=model_id)

    assert IndexedBatch(keys_of([memory]), rows=1, vectors=0) == done
    assert {memory.id: given} == await vectors(database)
    await check_statistics(database)


@pytest.mark.parametrize("moment", ["while embedding", "after storing"])
async def test_a_crash_repeats_nothing_and_forgets_nothing(
    database: Database, model_id: int, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that dies leaves no vector and no count behind; the next one does it all."""
    memories = await commit(database, "orders are locked", "orders are slow")

    async def dies(texts: Sequence[str]) -> Sequence[bytes]:
        raise ConnectionError("killed")

    with monkeypatch.context() as broken:
        if moment == "after storing":
            broken.setattr("pinak_ray.store.indexing.query", failing_last)
        with pytest.raises((ConnectionError, DatabaseUnavailable)):
            await index_some(
                database, dies if moment == "while embedding" else encode, model_id=model_id
            )
    assert (await vectors(database), await fetch(database, "TABLE pinak.term_stats")) == ({}, [])
    await index_some(database, encode, model_id=model_id)

    assert {memory.id for memory in memories} == (await vectors(database)).keys()
    await check_statistics(database)


def failing_last(file: str, name: str) -> str:
    """Return the query of this name; the one that ends a pass divides by zero instead."""
    return "SELECT 1 / (cardinality($1::bigint[]) * 0)" if name == "done" else query(file, name)


async def test_two_indexers_share_the_queue(database: Database, model_id: int) -> None:
    """What one holds the other passes over: each memory is embedded by one of them."""
    for index in range(6):
        await commit(database, f"orders number {index}", "orders are locked")
    embedded: list[str] = []
    both = asyncio.Barrier(2)

    async def slow(texts: Sequence[str]) -> Sequence[bytes]:
        async with asyncio.timeout(30):
            await both.wait()  # neither goes on before the other holds its own batches
        embedded.extend(texts)
        return await encode(texts)

    done = await asyncio.gather(
        *(index_some(database, slow, model_id=model_id, limit=6) for _ in range(2))
    )

    assert [one.memories for one in done] == [6, 6]
    assert 12 == len(embedded) == len(await vectors(database))
    await check_statistics(database)


async def test_poison_is_set_aside_in_the_end(database: Database, model_id: int) -> None:
    """After its attempts a batch no longer holds up those behind it, and is counted apart."""
    await commit(database, "poison")
    good = await commit(database, "good", "better")
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(InvalidInput):
            await index_some(database, poisoned, model_id=model_id, limit=1)
    before = await owed(database)
    done = await index_some(database, poisoned, model_id=model_id)
    after = await owed(database)

    assert [(one.memories, one.set_aside) for one in (before, after)] == [(2, 1), (0, 1)]
    assert IndexedBatch(keys_of(good), rows=1, vectors=2) == done
    assert {memory.id for memory in good} == (await vectors(database)).keys()


@pytest.mark.parametrize(
    ("limit", "error", "attempts"),
    [
        (1, InvalidInput("refused"), [0, 1, 0]),
        (1, ConnectionError("gone"), [0, 0, 0]),
        (2, InvalidInput("refused"), [0, 0, 0]),
    ],
)
async def test_only_a_row_that_fails_alone_is_blamed(
    database: Database, model_id: int, limit: int, error: Exception, attempts: list[int]
) -> None:
    """Neither a row taken along nor the queue's head, which another pass holds, shares a fault."""
    for content in ("held", "first", "second"):
        await commit(database, content)

    async def fail(texts: Sequence[str]) -> Sequence[bytes]:
        raise error

    async def hold(texts: Sequence[str]) -> Sequence[bytes]:
        with pytest.raises(type(error)):
            await index_some(database, fail, model_id=model_id, limit=limit)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await index_some(database, hold, model_id=model_id, limit=1)
    rows = await fetch(database, "SELECT id, attempts FROM pinak.index_queue")

    assert attempts == [row[1] for row in rows]


async def test_searchable_means_that_every_vector_is_there(
    database: Database, model_id: int
) -> None:
    """One missing vector of many, or one of another namespace, and it is not."""
    first = await commit(database, "first")
    await index_some(database, encode, model_id=model_id)
    second = await commit(database, "second")
    keys = keys_of([*first, *second])
    foreign = frozenset([(8, first[0].id)])

    assert keys_of(second) == await not_searchable(database, keys, model_id=model_id)
    assert foreign == await not_searchable(database, foreign, model_id=model_id)
    await index_some(database, encode, model_id=model_id)
    assert not await not_searchable(database, keys, model_id=model_id)


async def test_a_wait_ends_with_the_last_of_its_keys(database: Database, model_id: int) -> None:
    """What was searchable before counts, what this process indexes counts, each key is needed."""
    before = await commit(database, "before")
    await index_some(database, encode, model_id=model_id)
    memories = await commit(database, "one") + await commit(database, "two")
    waits = SearchableWaits(database, model_id)
    await waits.until_searchable(keys_of(before), timeout_s=30)

    async with asyncio.TaskGroup() as group:
        wait = group.create_task(
            waits.until_searchable(keys_of([*before, *memories]), timeout_s=30)
        )
        for _ in memories:
            assert not wait.done()
            done = await index_some(database, encode, model_id=model_id, limit=1)
            waits.indexed(done.keys)
    assert not await not_searchable(database, keys_of(memories), model_id=model_id)


async def test_a_wait_hears_of_what_another_indexer_did(database: Database, model_id: int) -> None:
    """A recheck asks the database once for all who wait."""
    memories = await commit(database, "one") + await commit(database, "two")
    waits = SearchableWaits(database, model_id)

    async with asyncio.TaskGroup() as group:
        both = [
            group.create_task(waits.until_searchable(keys_of([memory]), timeout_s=30))
            for memory in memories
        ]
        await index_some(database, encode, model_id=model_id)
        await until(lambda: rechecked(waits, both), what="both waits have ended")


async def rechecked(waits: SearchableWaits, tasks: Sequence["asyncio.Task[None]"]) -> bool:
    """Recheck, and say whether all tasks have ended."""
    await waits.recheck()
    return all(task.done() for task in tasks)


async def test_a_wait_gives_up(database: Database, model_id: int) -> None:
    """What nobody indexes is Unavailable in the end, and nothing of the wait stays behind."""
    waits = SearchableWaits(database, model_id)
    with pytest.raises(Unavailable, match="not searchable"):
        await waits.until_searchable(keys_of(await commit(database, "one")), timeout_s=0.01)

    assert not waits._waits
