"""The indexing queue: every memory gets its vector and is counted, once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.errors import (
    DatabaseUnavailable,
    EmbedderUnavailable,
    InvalidInput,
    NotSearchable,
    Unavailable,
)
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.indexing import indexing
from pinak_ray.store.indexing.backfill import backfill_some, refusals, retry_refused
from pinak_ray.store.indexing.holding import let_all_go
from pinak_ray.store.indexing.indexing import (
    IndexedBatch,
    Key,
    Turn,
    index_some,
    not_searchable,
    owed,
)
from pinak_ray.store.indexing.searchable import SearchableWaits
from pinak_ray.store.lifecycle.revisions import forget_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.queries import query
from tests.support.indexed import check_statistics, encode, fetch, vectors
from tests.support.remembered import DIMENSION, register
from tests.support.settling import settle_some
from tests.support.waiting import until

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


async def poisoned(texts: Sequence[str]) -> Sequence[bytes | str]:
    """Embed, but refuse poison as an endpoint would."""
    vectors = await encode(texts)
    return [
        "the text is too long" if "poison" in text else vector
        for text, vector in zip(texts, vectors, strict=True)
    ]


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
            broken.setattr("pinak_ray.store.indexing.indexing.query", failing_last)
        with pytest.raises((ConnectionError, DatabaseUnavailable)):
            await index_some(
                database, dies if moment == "while embedding" else encode, model_id=model_id
            )
    assert (await vectors(database), await fetch(database, "TABLE pinak.term_stats")) == ({}, [])
    await index_some(database, encode, model_id=model_id)

    assert {memory.id for memory in memories} == (await vectors(database)).keys()
    await check_statistics(database)


def failing_last(file: str, name: str) -> str:
    """Return the query of this name; the one that ends a pass fails instead."""
    return "SELECT $1::bigint[] FROM pinak.nothing" if name == "done" else query(file, name)


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


async def test_one_refused_text_leaves_its_batch_alone(database: Database, model_id: int) -> None:
    """Its neighbours are searchable, its words are counted, and it is known why."""
    good = await commit(database, "good", "better")
    (bad,) = await commit(database, "poison in the well")
    last = await commit(database, "best")
    done = await index_some(database, poisoned, model_id=model_id)
    backlog = await owed(database, model_id=model_id)
    async with database.service() as connection:
        why = await refusals(connection)

    assert keys_of([*good, *last]) == done.keys
    assert {(7, bad.id): "the text is too long"} == done.refused
    assert {memory.id for memory in (*good, *last)} == (await vectors(database)).keys()
    assert (backlog.memories, backlog.set_aside) == (0, 1)
    assert [(each["error"], each["memories"]) for each in why] == [("the text is too long", 1)]
    await check_statistics(database)


async def test_what_was_refused_comes_back_by_itself(database: Database, model_id: int) -> None:
    """Not at once, later each time; once it is taken, nothing of it is set aside any more."""
    (bad,) = await commit(database, "poison")
    await index_some(database, poisoned, model_id=model_id)
    at_once = await backfill_some(database, model_id, poisoned)
    pauses = []
    for _ in range(11):
        rows = await fetch(
            database,
            "SELECT CASE WHEN isfinite(due_at) THEN extract(epoch FROM due_at - now())::float8 "
            "ELSE 1e99 END FROM pinak.backfill_queue",
        )
        pauses += [pause for (pause,) in rows]
        await pass_time(database)
        await backfill_some(database, model_id, poisoned)
    await pass_time(database)
    again = await backfill_some(database, model_id, encode)

    assert at_once is None
    assert all(pause > 50 for pause in pauses)
    assert all(before < after for before, after in pairwise(pauses[:5]))
    assert pauses[-1] == 1e99  # nobody asks for ever
    assert again is not None
    assert again.keys == {(7, bad.id)}
    assert {bad.id} == (await vectors(database)).keys()
    assert (await owed(database, model_id=model_id)).set_aside == 0


async def pass_time(database: Database) -> None:
    """Have all that was set aside be due."""
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.backfill_queue SET due_at = now()")


async def test_what_was_refused_comes_back_when_told(database: Database, model_id: int) -> None:
    """`retry_refused` has it tried at once, of one model or of all."""
    await commit(database, "poison", "more poison")
    await index_some(database, poisoned, model_id=model_id)
    async with database.service() as connection:
        others = await retry_refused(connection, model_id + 1)
        ours = await retry_refused(connection, model_id)
    tried = [await backfill_some(database, model_id, encode) for _ in range(3)]

    assert (others, ours) == (0, 2)
    assert [len(done.keys) if done else 0 for done in tried] == [1, 1, 0]


async def test_what_was_refused_can_be_forgotten(database: Database, model_id: int) -> None:
    """Nothing of it stays, not even what the endpoint said, which may repeat the text."""
    (bad,) = await commit(database, "poison")
    await index_some(database, poisoned, model_id=model_id)
    await forget_memory(database, 7, bad.id)

    assert await fetch(database, "SELECT id FROM pinak.memories") == []
    assert await fetch(database, "SELECT error FROM pinak.backfill_queue") == []


async def test_the_embedders_state_is_no_memorys_fault(database: Database, model_id: int) -> None:
    """However often it fails, nothing is set aside, and all is there once it embeds again."""
    memories = await commit(database, "one", "two") + await commit(database, "three")

    async def away(texts: Sequence[str]) -> Sequence[bytes]:
        raise EmbedderUnavailable("HTTP 401")

    for limit in (1, 128) * 8:
        with pytest.raises(EmbedderUnavailable):
            await index_some(database, away, model_id=model_id, limit=limit)
    before = await owed(database, model_id=model_id)
    done = await index_some(database, encode, model_id=model_id)

    assert (before.memories, before.set_aside) == (3, 0)
    assert keys_of(memories) == done.keys


async def test_nothing_is_held_while_an_endpoint_works(database: Database, model_id: int) -> None:
    """No transaction is open and no connection lent, for memories, windows and new models."""
    await commit(database, "one", "two", session="s")
    open_ = []

    async def look(texts: Sequence[str]) -> Sequence[bytes]:
        open_.append(database._service.get_size() - database._service.get_idle_size())
        return await encode(texts)

    await index_some(database, look, model_id=model_id)
    await settle_some(database, look, model_id=model_id, quiet_s=0.0)

    assert open_ == [0, 0]
    assert len(await fetch(database, "SELECT kind FROM pinak.memory_vectors")) == 4


async def test_what_an_endpoint_has_is_kept_from_others(
    database: Database, model_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as it takes; and what somebody else did meanwhile is not done twice."""
    monkeypatch.setattr("pinak_ray.store.indexing.holding._GO_ON_AFTER_S", 0.01)
    monkeypatch.setattr("pinak_ray.store.indexing.holding.HELD_FOR", timedelta(seconds=30))
    await commit(database, "one")
    others = []

    async def slow(texts: Sequence[str]) -> Sequence[bytes]:
        await backdate(database)
        await until(lambda: is_held(database), what="it is held again")
        others.append(await index_some(database, encode, model_id=model_id))
        return await encode(texts)

    async def lost(texts: Sequence[str]) -> Sequence[bytes]:
        await let_all_go(database)
        others.append(await index_some(database, encode, model_id=model_id))
        return await encode(texts)

    done = [await index_some(database, slow, model_id=model_id)]
    monkeypatch.setattr("pinak_ray.store.indexing.holding._GO_ON_AFTER_S", 600.0)
    await commit(database, "two")
    done.append(await index_some(database, lost, model_id=model_id))

    assert [one.memories for one in others] == [0, 1]
    assert [one.memories for one in done] == [1, 0]
    assert len(await vectors(database)) == 2
    await check_statistics(database)


async def backdate(database: Database) -> None:
    """Have the time be over for which rows are held."""
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.index_queue SET due_at = now()")


async def is_held(database: Database) -> bool:
    """Tell whether a row of the queue is held."""
    return bool(await fetch(database, "SELECT id FROM pinak.index_queue WHERE due_at > now()"))


async def test_what_the_database_refuses_alone_is_blamed(
    database: Database, model_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that fails alone is parted, until one memory is at fault; all others go on."""
    memories = await commit(database, "one", "two", "three")
    bad = memories[1].id
    real = indexing.encode_vector

    def break_one(namespace_id: int, model_id: int, kind: int, id_: bytes, vector: bytes) -> bytes:
        if id_ == bad.bytes:
            vector = encode_halfvec_one(np.ones(DIMENSION + 1, dtype=np.float32))
        return real(namespace_id, model_id, kind, id_, vector)

    monkeypatch.setattr(indexing, "encode_vector", break_one)
    for _ in range(8):
        with suppress(InvalidInput):
            await index_some(database, encode, model_id=model_id, limit=1)

    assert {memories[0].id, memories[2].id} == (await vectors(database)).keys()
    rows = await fetch(database, "SELECT memory_ids, attempts, error FROM pinak.index_queue")
    assert [(ids, attempts) for ids, attempts, _ in rows] == [([bad], 1)]
    assert (await owed(database, model_id=model_id)).set_aside == 1


# ---------------------------------------------------------------- whose turn it is


async def bulk(database: Database, namespace_id: int, rows: int, *, urgent: bool = False) -> None:
    """Queue rows of 32 memories, as a batch of one tenant leaves them."""
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.index_queue (namespace_id, namespace_ids, memory_ids, urgent) "
            "SELECT $1::integer, array_fill($1::integer, ARRAY[32]), "
            "array_fill(gen_random_uuid(), ARRAY[32]), $3 FROM generate_series(1, $2::integer)",
            namespace_id, rows, urgent,
        )  # fmt: skip


async def test_no_bulk_stands_before_anothers_memory(database: Database, model_id: int) -> None:
    """However much one namespace stored before, another's new memory is in the next batch."""
    await bulk(database, 3, 500)
    await bulk(database, 5, 500, urgent=True)
    for namespace_id in (1, 4, 9):
        memories = await commit(database, "new here", namespace_id=namespace_id)
        turn = Turn(7)
        done = await index_some(database, encode, model_id=model_id, turn=turn)
        assert keys_of(memories) <= done.keys


async def test_a_new_failure_waits_for_no_bulk(database: Database, model_id: int) -> None:
    """Even where its own namespace, and two hundred others, have more than enough to do."""
    for namespace_id in range(100, 300):
        await bulk(database, namespace_id, 4)
    await bulk(database, 7, 400)
    turn = Turn()
    failures = await commit(database, "it failed", outcome="failure")
    done = await index_some(database, encode, model_id=model_id, turn=turn)

    assert keys_of(failures) <= done.keys


async def test_a_bulk_of_failures_does_not_hold_up_the_rest(
    database: Database, model_id: int
) -> None:
    """Half of each batch at most is failures while anything else waits."""
    await bulk(database, 3, 40, urgent=True)
    await bulk(database, 3, 40)
    memories = await commit(database, "nothing failed", namespace_id=5)
    done = await index_some(database, encode, model_id=model_id, turn=Turn(3))

    assert keys_of(memories) <= done.keys
    left = await fetch(database, "SELECT urgent, count(*) FROM pinak.index_queue GROUP BY urgent")
    assert left == [(False, 39), (True, 38)]


async def test_all_namespaces_have_their_turn(database: Database, model_id: int) -> None:
    """Over a round each of them gets as much as any other."""
    for namespace_id in range(1, 31):
        await bulk(database, namespace_id, 8)
    turn = Turn()
    for _ in range(30):
        await index_some(database, encode, model_id=model_id, turn=turn)
    left = await fetch(
        database, "SELECT count(*) FROM pinak.index_queue GROUP BY namespace_id ORDER BY 1"
    )

    assert [count for (count,) in left] == [4] * 30


async def test_a_take_is_bounded(database: Database, model_id: int) -> None:
    """A statement that stores thousands leaves rows of 32, so that a batch has so many at most."""
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, content_hash) "
            "SELECT 7, gen_random_uuid(), 'a', 'episodic', 'text ' || n, '' "
            "FROM generate_series(1, 1000) AS n"
        )
    done = await index_some(database, encode, model_id=model_id)

    assert done.memories == 128


async def test_searchable_means_that_every_vector_is_there(
    database: Database, model_id: int
) -> None:
    """One missing vector of many, or one of another namespace, and it is not."""
    first = await commit(database, "first")
    await index_some(database, encode, model_id=model_id)
    second = await commit(database, "second")
    keys = keys_of([*first, *second])
    foreign = frozenset([(8, first[0].id)])

    missing = await not_searchable(database, keys, model_id=model_id)
    assert dict.fromkeys(keys_of(second)) == missing
    missing = await not_searchable(database, foreign, model_id=model_id)
    assert dict.fromkeys(foreign) == missing
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
    keys = keys_of(await commit(database, "one"))
    (fate,) = (await waits.until_searchable(keys, timeout_s=0.01)).values()

    assert isinstance(fate, Unavailable)
    assert "not searchable" in str(fate)
    assert not waits._waits


async def test_a_wait_tells_what_keeps_it(
    database: Database, model_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the embedder is away nobody waits as for a backlog, and all hear its cause."""
    monkeypatch.setattr("pinak_ray.store.indexing.searchable._IN_TROUBLE_S", 0.01)
    waits = SearchableWaits(database, model_id, lambda: "HTTP 401 no such key")
    keys = keys_of(await commit(database, "one", "two"))
    fates = await waits.until_searchable(keys, timeout_s=300)

    assert keys == fates.keys()
    assert all("HTTP 401 no such key" in str(fate) for fate in fates.values())


async def test_who_waits_beside_a_refused_text_is_searchable(
    database: Database, model_id: int
) -> None:
    """The refused one hears why, by word of mouth, and by a recheck where another refused it."""
    good, bad = await commit(database, "good", "poison")
    waits = SearchableWaits(database, model_id)

    async with asyncio.TaskGroup() as group:
        wait = group.create_task(waits.until_searchable(keys_of([good, bad]), timeout_s=300))
        await until(lambda: waits._waits, what="the wait has begun")
        done = await index_some(database, poisoned, model_id=model_id)
        waits.indexed(done.keys, done.refused)
    later = await waits.until_searchable(keys_of([bad, good]), timeout_s=300)

    for fates in (wait.result(), later):
        assert fates.keys() == {(7, bad.id)}
        assert isinstance(fates[7, bad.id], NotSearchable)
        assert "too long" in str(fates[7, bad.id])
