"""A key names what lives: in the table of memories, and in the state of agents and boards."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray.agents.host import Host
from pinak_ray.agents.log.spent_keys import KEYS_KEPT
from pinak_ray.records.board.claims import ClaimOnce
from pinak_ray.records.board.questions import Ask
from pinak_ray.records.commands import Command
from pinak_ray.records.errors import IdempotencyMismatch, Superseded
from pinak_ray.records.memory.memories import Ack, Memory, Receipt, new_memory
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.records.operations import Note, Origin, Post, Read, Recollect
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.records.state.writes import new_execute, new_note, new_post
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.archive import archive_memories, restore_memory
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.memories.memories import Duplicate, commit_memories, encode_memory
from tests.support.indexed import check_statistics, fetch, index_owed
from tests.support.remembered import expire, register
from tests.support.taken import a_host_over, taken

pytestmark = pytest.mark.postgres

NS = 7
ADA = Owner(NS, Space.AGENT, "ada")
BOARD = Owner(NS, Space.BOARD, "plan")


def keyed(content: str = "one", key: str | None = "k", **fields: Any) -> Memory:
    """Return a memory of Ada's under a key, as a new call would make it."""
    return new_memory(NS, fields.pop("agent", "ada"), content, idempotency_key=key, **fields)


async def commit(database: Database, *memories: Memory) -> dict[int, Any]:
    """Commit the memories as one batch and return the fates."""
    return dict(await commit_memories(database, [encode_memory(m) for m in memories]))


async def living(database: Database) -> list[str]:
    """Return the contents that can be read."""
    rows = await fetch(
        database,
        "SELECT content FROM pinak.memories "
        "WHERE expires_at IS NULL OR expires_at > now() ORDER BY content",
    )
    return [content for (content,) in rows]


async def test_each_item_of_a_batch_has_its_own_fate(database: Database) -> None:
    """A repeat names the first memory, another body is refused, and what is new is stored."""
    first = keyed()
    assert await commit(database, first) == {}
    fates = await commit(
        database, keyed(), keyed("two"), keyed("mine", agent="bob"), keyed("free", None),
        keyed("in one batch", "l"), keyed("in one batch", "l"), keyed("not this", "l"),
    )  # fmt: skip

    assert fates[0] == Duplicate(first.id)
    assert [type(fates[at]) for at in (1, 6)] == [IdempotencyMismatch] * 2
    assert sorted(fates) == [0, 1, 5, 6]
    assert await living(database) == ["free", "in one batch", "mine", "one"]


async def test_of_many_calls_at_once_one_is_new(database: Database) -> None:
    """All others hear of it, whichever connection they come by; another body is refused."""
    same, other = [keyed() for _ in range(8)], [keyed("other") for _ in range(4)]
    fates = await asyncio.gather(*(commit(database, each) for each in same + other))
    told = [fate.get(0) for fate in fates]
    ((id_, content),) = await fetch(database, "SELECT id, content FROM pinak.memories")

    assert told.count(None) == 1
    for memory, fate in zip(same + other, told, strict=True):
        if memory.content == content:
            assert fate in (None, Duplicate(id_))
        else:
            assert isinstance(fate, IdempotencyMismatch)


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "queued"])
@pytest.mark.parametrize("end", ["forget", "expire", "purge", "archive"])
async def test_a_key_ends_with_what_it_stands_for(
    database: Database, end: str, indexed: bool
) -> None:
    """Whether its row still lies there or not: the repeat is stored, once, and counted once."""
    model_id = await register(database)
    first = keyed()
    await commit(database, first)
    if indexed or end == "archive":  # the Curator takes none that is still queued
        await index_owed(database, model_id)
    if end == "forget":
        assert await forget_memory(database, NS, first.id)
    elif end == "archive":
        async with database.service() as connection, connection.transaction():
            await archive_memories(connection, NS, [first.id], "weak")
    else:
        await expire(database, first.id)
    if end == "purge":
        await index_owed(database, model_id)
        await purge_expired(database)
    second = keyed("two")
    assert await commit(database, second) == {}
    await index_owed(database, model_id)
    await purge_expired(database)

    assert await commit(database, keyed("two")) == {0: Duplicate(second.id)}
    assert await living(database) == ["two"]
    await check_statistics(database)


async def test_the_same_call_brings_back_nothing(database: Database) -> None:
    """A retry that comes after somebody forgot the memory stores nothing; a new call does."""
    model_id = await register(database)
    plain, under_key = keyed("plain", None), keyed("keyed")
    await commit(database, plain, under_key)
    await index_owed(database, model_id)
    for memory in (plain, under_key):
        await forget_memory(database, NS, memory.id)
    fates = await commit(database, keyed("else", None), plain, under_key)

    assert fates == {1: Duplicate(plain.id), 2: Duplicate(under_key.id)}
    assert await living(database) == ["else"]
    assert await commit(database, keyed("plain", None), keyed("keyed")) == {}
    assert await living(database) == ["else", "keyed", "plain"]


async def test_what_was_forgotten_is_known_for_ten_minutes(database: Database) -> None:
    """Longer than any client retries; nothing is kept of an id that was never there."""
    memory = keyed(key=None)
    await commit(database, memory)
    await forget_memory(database, NS, memory.id)
    await forget_memory(database, NS, uuid4())
    known = "SELECT memory_id FROM pinak.forgotten"
    assert await fetch(database, known) == [(memory.id,)]
    await purge_expired(database)
    assert await fetch(database, known) == [(memory.id,)]
    async with database.service() as connection:
        await connection.execute("UPDATE forgotten SET forgotten_at = now() - interval '11 min'")
    await purge_expired(database)
    assert await fetch(database, known) == []


async def test_a_key_from_before_digests_is_compared_by_content(database: Database) -> None:
    """What was stored by an older release has no digest."""
    first = keyed()
    await commit(database, first)
    async with database.service() as connection:
        await connection.execute("UPDATE memories SET says = NULL")
    fates = await commit(database, keyed(tags=["t"]), keyed("two"))

    assert fates[0] == Duplicate(first.id)
    assert isinstance(fates[1], IdempotencyMismatch)


async def test_what_comes_back_from_the_archive_has_no_key(database: Database) -> None:
    """The key may stand for another memory by then."""
    first = keyed()
    await commit(database, first)
    async with database.service() as connection, connection.transaction():
        await archive_memories(connection, NS, [first.id], "weak")
    await commit(database, keyed("two"))
    await restore_memory(database, NS, first.id)

    assert await living(database) == ["one", "two"]


async def revised(database: Database, old: UUID, content: str, key: str | None = "k") -> Any:
    """Revise a memory by a new call; return its id and whether it is new."""
    revision = new_revision(NS, "ada", old, content, idempotency_key=key)
    return await revise_memory(database, revision, model_id=0)


async def test_a_revision_under_a_key(database: Database) -> None:
    """Repeated it is the first; of another memory, or with other words, it is refused; once the
    revision is forgotten it can be made anew, with the key or without."""
    one, two = keyed("one", None), keyed("two", None)
    await commit(database, one, two)
    id_, new = await revised(database, one.id, "uno")
    assert new
    assert await revised(database, one.id, "uno") == (id_, False)
    for old, content in ((two.id, "uno"), (one.id, "eins")):
        with pytest.raises(IdempotencyMismatch):
            await revised(database, old, content)
    with pytest.raises(Superseded):
        await revised(database, one.id, "uno", None)
    await forget_memory(database, NS, id_)
    again, new = await revised(database, one.id, "uno")
    assert new
    assert await living(database) == ["one", "two", "uno"]
    await forget_memory(database, NS, again)
    assert (await revised(database, one.id, "eins", None))[1]


async def a_host(database: Database) -> Host:
    """Return a host that has just taken every shard, as after a restart."""
    return a_host_over(await taken(database))


def a_note(value: bytes = b"1", key: str = "plan", **fields: Any) -> Note:
    """Return a note of Ada's under a key."""
    given = {"ttl_s": None, "expected_version": None, "ack": Ack.DURABLE, "idempotency_key": "k"}
    return new_note(ADA, key, value, **{**given, **fields})


def a_public(content: str, **fields: Any) -> Post:
    """Return a post to a public entry under a key."""
    given = {"key": "stand", "ack": Ack.DURABLE, "idempotency_key": "k"}
    return new_post(BOARD, "ada", EntryKind.PUBLIC, content, b"{}", **{**given, **fields})


def a_command(command: Command) -> Any:
    """Return a command on the board under a key."""
    return new_execute(BOARD, "ada", command, ack=Ack.DURABLE, idempotency_key="k")


async def test_another_host_knows_the_keys(database: Database) -> None:
    """They are committed with what they wrote, also where others wrote over it."""
    first = await a_host(database)
    question = a_command(Ask(text="why?"))
    written = await first.apply([a_note(), a_public("v1"), question])
    await first.apply([a_note(b"2", idempotency_key=None), a_public("v2", idempotency_key=None)])
    second = await a_host(database)
    again = await second.apply([a_note(), a_public("v1"), question])
    others = [a_note(b"3"), a_note(key="other"), a_public("v3"), a_command(Ask(text="who?"))]
    refused = await second.apply(others)
    items, entries = await second.apply([Recollect(ADA), Read(BOARD)])

    assert again == [receipt._replace(new=False) for receipt in written]
    assert [type(each) for each in refused] == [IdempotencyMismatch] * 4
    assert [(item.key, item.encoded) for item in items] == [("plan", b"2")]
    assert {entry.content for entry in entries} == {"v2", "why?"}


async def test_keys_end_with_items_and_entries(database: Database) -> None:
    """Expired, in memory or after a reload, each is written anew; the rest of the row goes on."""
    host = await a_host(database)
    batch = [a_note(ttl_s=60), a_public("v1", ttl_s=60), a_command(ClaimOnce(subject="dig"))]
    first = await host.apply(batch)
    for end in ("working_items", "entries"):
        async with database.service() as connection:
            await connection.execute(f"UPDATE {end} SET expires_at = now() - interval '1 s'")
    host = await a_host(database)
    others = [a_note(b"2"), a_public("v2"), a_command(ClaimOnce(subject="look"))]
    second = await host.apply(others)
    third = await (await a_host(database)).apply(others)

    assert [receipt.new for receipt in (*first[:2], *second[:2], *third[:2])] == [True] * 4 + [
        False
    ] * 2
    assert [(r.version, r.id) for r in second[:2]] == [(2, r.id) for r in first[:2]]
    assert second[2].granted
    assert third[2] == second[2]._replace() if isinstance(second[2], Receipt) else third[2].granted


async def test_a_retried_batch_is_refused_where_it_was_refused(database: Database) -> None:
    """Two writes under one key: the second is not answered with the first one's receipt."""
    host, origin = await a_host(database), Origin(uuid4(), 1)
    batch = [a_note(), a_note(b"2"), a_public("v1"), a_public("v2")]
    answered = await host.apply(batch, origin)
    again = await (await a_host(database)).apply(batch, origin, retried=True)

    for results in (answered, again):
        assert [type(each) for each in results] == [Receipt, IdempotencyMismatch] * 2
    assert answered[::2] == again[::2]


async def test_one_row_keeps_so_many_keys(database: Database) -> None:
    """The last ones that wrote it: a row that is written for ever does not grow for ever."""
    host = await a_host(database)
    notes = [a_note(b"%d" % n, idempotency_key=f"k{n}") for n in range(KEYS_KEPT + 5)]
    await host.apply(notes)
    again = await (await a_host(database)).apply(notes[-KEYS_KEPT:])
    (size,) = await fetch(database, "SELECT length(spent_keys) FROM pinak.working_items")

    assert not any(receipt.new for receipt in again)
    assert [receipt.version for receipt in again] == list(range(6, KEYS_KEPT + 6))
    assert size == (40 * KEYS_KEPT,)
