"""State of agents and boards: committed under an epoch, read back whole."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.records.errors import InvalidInput, StaleEpoch
from pinak_ray.records.state.owners import (
    SHARDS,
    Entry,
    EntryKind,
    Owner,
    Space,
    WorkingItem,
    shard_of,
)
from pinak_ray.store.agent_state import take_shards
from pinak_ray.store.database import Database
from tests.support.taken import loaded, taken

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
ADA = Owner(7, Space.AGENT, "ada/ü")
BOARD = Owner(7, Space.BOARD, "ada/ü")


def an_item(key: str = "plan", version: int = 1, encoded: bytes = b"1") -> WorkingItem:
    """Return a working item that expires."""
    return WorkingItem(key, encoded, version, NOW, NOW + timedelta(hours=1), uuid4())


def an_entry(seq: int = 1, **fields: Any) -> Entry:
    """Return an entry, by default a finding."""
    entry = Entry(
        uuid4(),
        seq,
        EntryKind.FINDING,
        "ada",
        None,
        "x\n🦜",
        b'{"a": "\\\\u0000"}',
        1,
        NOW,
        None,
        uuid4(),
    )
    return entry._replace(**fields)


async def test_taking_a_shard_raises_its_epoch(database: Database) -> None:
    """Each take of a shard gives it the next epoch, whoever takes it."""
    first = await take_shards(database, "host-0", [3, 1, 2])
    second = await take_shards(database, "host-1", [2])
    third = await take_shards(database, "host-1", [2, 4])

    assert (first, second, third) == ({1: 1, 2: 1, 3: 1}, {2: 2}, {2: 3, 4: 1})


async def test_what_was_committed_is_loaded(database: Database) -> None:
    """Items and entries come back field by field; agent and board of one name are apart."""
    state = await taken(database, "host-0")
    items = [an_item("plan", 3, '{"ü": 1}'.encode()), an_item("a/b")._replace(expires_at=None)]
    scratch = an_entry(kind=EntryKind.TASK)
    public = an_entry(2, kind=EntryKind.PUBLIC, key="k", expires_at=NOW, version=4)
    posts = [an_entry(), public]
    changes: list[Change] = [
        *(PutItem(ADA, item) for item in items),
        PutEntry(ADA, scratch),
        *(PutEntry(BOARD, entry) for entry in posts),
    ]
    assert await state.submit(changes) == {}
    ada, board = await loaded(state, ADA), await loaded(state, BOARD)

    assert (sorted(items), [scratch]) == (sorted(ada.items), list(ada.entries))
    assert ([], posts) == (list(board.items), sorted(board.entries, key=lambda entry: entry.seq))


async def test_an_unknown_owner_is_empty(database: Database) -> None:
    """Loading what nobody wrote gives nothing."""
    state = await taken(database, "host-0")

    assert tuple(map(list, await loaded(state, ADA))) == ([], [])


async def test_the_newest_of_a_key_is_stored(database: Database) -> None:
    """Many changes of one key and one entry, in one commit or several, leave the last."""
    state = await taken(database, "host-0")
    items = [an_item(version=version) for version in range(1, 8)]
    public = an_entry(kind=EntryKind.PUBLIC, key="k")
    entries = [public._replace(seq=n, version=n, content=f"{n}") for n in range(1, 8)]
    for part in (slice(0, 5), slice(5, 7)):
        await state.submit([PutItem(ADA, item) for item in items[part]])
        await state.submit([PutEntry(BOARD, entry) for entry in entries[part]])

    assert [items[-1]] == list((await loaded(state, ADA)).items)
    assert [entries[-1]] == list((await loaded(state, BOARD)).entries)


async def test_a_stale_epoch_writes_nothing(database: Database) -> None:
    """Once another host took the shards, the old one's changes are refused and leave no trace."""
    zombie = await taken(database, "host-0")
    await zombie.submit([PutItem(ADA, an_item()), PutEntry(BOARD, an_entry())])
    heir = await taken(database, "host-1")
    before = await loaded(heir, ADA), await loaded(heir, BOARD)
    fates = await zombie.submit([PutItem(ADA, an_item(version=2)), PutEntry(BOARD, an_entry(2))])

    assert {0: StaleEpoch, 1: StaleEpoch} == {i: type(fate) for i, fate in fates.items()}
    assert before == (await loaded(heir, ADA), await loaded(heir, BOARD))
    assert await heir.submit([PutItem(ADA, an_item(version=2))]) == {}


async def test_only_changes_of_lost_shards_are_refused(database: Database) -> None:
    """A batch over several shards is stored where the host still owns them."""
    state = await taken(database, "host-0")
    owners = [Owner(7, Space.AGENT, f"a{index}") for index in range(6)]
    lost = shard_of(owners[2])
    await take_shards(database, "host-1", [lost])
    fates = await state.submit([PutItem(owner, an_item()) for owner in owners])
    stored = [bool((await loaded(state, owner)).items) for owner in owners]

    assert [i for i, owner in enumerate(owners) if shard_of(owner) == lost] == list(fates)
    assert [shard_of(owner) != lost for owner in owners] == stored


async def test_a_shard_that_was_never_taken_is_refused(database: Database) -> None:
    """A host without an epoch for a shard cannot write it."""
    state = await taken(database, "host-0", [(shard_of(ADA) + 1) % SHARDS])
    fates = await state.submit([PutItem(ADA, an_item())])

    assert [StaleEpoch] == [type(fate) for fate in fates.values()]
    assert list((await loaded(state, ADA)).items) == []


async def test_a_change_that_the_database_refuses_fails_alone(database: Database) -> None:
    """One impossible value does not hold up its neighbours in the commit."""
    state = await taken(database, "host-0")
    good, bad = an_item("good"), an_item("bad", encoded=b'"\\u0000"')
    fates = await state.submit([PutItem(ADA, bad), PutItem(ADA, good)])

    assert {0: InvalidInput} == {index: type(fate) for index, fate in fates.items()}
    assert [good] == list((await loaded(state, ADA)).items)
