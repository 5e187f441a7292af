"""What has expired goes, with everything that was kept about it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pinak_ray.agents.changes import PutEntry, PutItem
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space, WorkingItem
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from tests.support.indexed import check_statistics, encode, fetch, vectors
from tests.support.remembered import EMBEDDER, register
from tests.support.taken import loaded, taken

pytestmark = pytest.mark.postgres

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=2)
BOARD = Owner(7, Space.BOARD, "plan")
ADA = Owner(7, Space.AGENT, "ada")


async def remembered(database: Database, content: str, **fields: Any) -> Memory:
    """Commit one memory with the fields replaced."""
    memory = new_memory(fields.pop("namespace_id", 7), "ada", content)._replace(**fields)
    await commit_memories(database, [encode_memory(memory)])
    return memory


async def test_expired_memories_go_with_their_vectors_and_counts(database: Database) -> None:
    """Rows, vectors and statistics are as if the expired ones had never been."""
    model_id = await register(database, EMBEDDER.model.dimension)
    kept = [
        await remembered(database, "orders are locked"),
        await remembered(database, "orders later", expires_at=NOW + timedelta(hours=1)),
    ]
    for namespace_id in (7, 8):
        await remembered(
            database, "orders were slow", namespace_id=namespace_id, expires_at=LONG_AGO
        )
    await index_some(database, encode, model_id=model_id)
    removed = await purge_expired(database)

    assert removed == 2
    assert {memory.id for memory in kept} == (await vectors(database)).keys()
    assert sorted((m.content,) for m in kept) == await fetch(
        database, "SELECT content FROM pinak.memories"
    )
    await check_statistics(database)


async def test_what_is_not_indexed_yet_waits(database: Database) -> None:
    """A memory leaves only after its words were counted, so that the counts stay exact."""
    model_id = await register(database, EMBEDDER.model.dimension)
    await remembered(database, "gone before it was counted", expires_at=LONG_AGO)
    before = await purge_expired(database)
    await index_some(database, encode, model_id=model_id)

    assert (before, await purge_expired(database)) == (0, 1)


async def test_a_pass_is_bounded(database: Database) -> None:
    """No pass removes more of a kind than it may; the next ones do the rest."""
    model_id = await register(database, EMBEDDER.model.dimension)
    for index in range(5):
        await remembered(database, f"{index}", expires_at=LONG_AGO)
    await index_some(database, encode, model_id=model_id, limit=10)

    assert [await purge_expired(database, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def an_item(key: str, expires_at: datetime | None) -> WorkingItem:
    """Return a working item."""
    return WorkingItem(key, b"1", 1, LONG_AGO, expires_at, uuid4())


def an_entry(seq: int, expires_at: datetime | None) -> Entry:
    """Return a finding."""
    return Entry(
        uuid4(),
        seq,
        EntryKind.FINDING,
        "ada",
        None,
        f"{seq}",
        b"{}",
        1,
        LONG_AGO,
        expires_at,
        uuid4(),
    )


async def test_state_stays_for_a_day_after_its_expiry(database: Database) -> None:
    """Working items and entries go a day later; what lives or has just expired stays."""
    state = await taken(database)
    moments = (LONG_AGO, NOW, NOW + timedelta(days=1), None)
    await state.submit([PutItem(ADA, an_item(f"{i}", at)) for i, at in enumerate(moments)])
    await state.submit([PutEntry(BOARD, an_entry(i, at)) for i, at in enumerate(moments, 1)])
    removed = await purge_expired(database)

    assert removed == 2
    assert sorted(item.key for item in (await loaded(state, ADA)).items) == ["1", "2", "3"]
    assert sorted(entry.seq for entry in (await loaded(state, BOARD)).entries) == [2, 3, 4]


async def test_a_reloaded_board_never_counts_backwards(database: Database) -> None:
    """Readers resume from the last seq they saw, so no purge may bring an old one back."""
    state = await taken(database)
    await state.submit([PutEntry(BOARD, an_entry(seq, LONG_AGO)) for seq in range(1, 6)])
    await purge_expired(database)
    log = EntryLog.of((await loaded(state, BOARD)).entries)

    assert log.seq == 5
    assert log.read(0, (), 100, now=NOW) == ()
