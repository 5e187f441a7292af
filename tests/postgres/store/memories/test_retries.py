"""A retried batch is answered as it was answered first, by whichever host it comes to."""

import asyncio
from uuid import UUID, uuid4

import pytest

from pinak_ray.agents.host import Host
from pinak_ray.records.errors import Unavailable, VersionConflict
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import Note, Origin, Post, Read, Recollect
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.expiry import purge_expired
from tests.support.taken import ALONE, EVERY, a_host_over, loaded, taken

pytestmark = pytest.mark.postgres

ADA = Owner(7, Space.AGENT, "ada")
BOARD = Owner(7, Space.BOARD, "plan")
LANE = UUID(int=1)


def a_note(value: bytes = b"1", key: str = "plan", **fields: object) -> Note:
    """Return a note of Ada's."""
    return Note(ADA, key, value, uuid4(), **fields)  # type: ignore[arg-type]


def a_public(content: str) -> Post:
    """Return a post to one public entry."""
    return Post(BOARD, uuid4(), EntryKind.PUBLIC, "ada", content, key="k")


async def a_host(database: Database) -> Host:
    """Return a host that has just taken every shard, as after a restart."""
    return a_host_over(await taken(database))


async def test_a_restarted_host_repeats_the_first_receipts(database: Database) -> None:
    """The answer was lost with the host; another caller wrote since; nothing is written again."""
    first = await a_host(database)
    batch = [a_note(b"1"), a_note(b"2"), a_public("draft"), a_public("final")]
    answered = await first.apply(batch, Origin(LANE, 1))
    await first.apply([a_note(b"3"), a_public("other")], Origin(uuid4(), 1))
    second = await a_host(database)
    again = await second.apply(batch, Origin(LANE, 1), retried=True)
    (item,), (entry,) = await second.apply([Recollect(ADA), Read(BOARD)])

    assert answered == again
    assert [receipt.version for receipt in again] == [1, 2, 1, 2]
    assert (item.encoded, item.version, entry.content, entry.version) == (b"3", 3, "other", 3)


async def test_what_was_not_applied_is_applied_by_the_retry(database: Database) -> None:
    """Of a batch whose second half never arrived, the first is repeated and the second is new."""
    first = await a_host(database)
    early, late = a_note(b"1"), a_note(b"2", expected_version=1)
    await first.apply([early], Origin(LANE, 1))
    second = await a_host(database)
    known, new = await second.apply([early, late], Origin(LANE, 1), retried=True)

    assert (known.version, known.new, new.version, new.new) == (1, True, 2, True)


async def test_a_compare_and_set_does_not_conflict_with_itself(database: Database) -> None:
    """Retried, it would meet its own version; it is told that it has won."""
    host = await a_host(database)
    note = a_note(expected_version=0)
    (won,) = await host.apply([note], Origin(LANE, 1))
    (again,) = await host.apply([note], Origin(LANE, 1), retried=True)
    (other,) = await host.apply([a_note(expected_version=0)], Origin(LANE, 2))

    assert (won, VersionConflict) == (again, type(other))


async def test_a_retry_waits_for_the_first_try(database: Database) -> None:
    """Both may be in the same host at once: they get one answer, and one version is written."""
    host = await a_host(database)
    notes = [a_note(b"%d" % i) for i in range(20)]
    both = await asyncio.gather(
        *(host.apply(notes, Origin(LANE, 1), retried=bool(i)) for i in range(3))
    )

    assert both[0] == both[1] == both[2]
    assert [receipt.version for receipt in both[0]] == list(range(1, 21))


async def test_a_batch_that_was_overtaken_by_its_lane_is_refused(database: Database) -> None:
    """A ghost of an old batch, late in the network, changes nothing: nobody waits for it."""
    host = await a_host(database)
    await host.apply([a_note(b"1")], Origin(LANE, 1))
    await host.apply([a_note(b"2")], Origin(LANE, 2))
    (ghost,) = await host.apply([a_note(b"0")], Origin(LANE, 1))
    ((item,),) = await host.apply([Recollect(ADA)])

    assert (Unavailable, b"2") == (type(ghost), item.encoded)


async def test_a_batch_split_over_two_hosts_is_known_to_both(database: Database) -> None:
    """After a move a lane's batch is committed in two places; a third host finds both parts."""
    owners = [Owner(7, Space.AGENT, f"a{i}") for i in range(12)]
    left = frozenset(range(128))
    notes = [Note(owner, "plan", b"1", uuid4()) for owner in owners]
    answers = []
    for name, shards in (("host-0", left), ("host-1", EVERY - left)):
        host = a_host_over(await taken(database, name, shards))
        part = [note for note in notes if ALONE.shard_of(note.owner) in shards]
        assert part
        answers += await host.apply(part, Origin(LANE, 1))
    third = await a_host(database)
    again = await third.apply(notes, Origin(LANE, 1), retried=True)

    assert {receipt.id: receipt for receipt in answers} == {r.id: r for r in again}


async def test_refused_changes_leave_no_receipt(database: Database) -> None:
    """A fenced host's batch is not taken for done: the new owner applies it."""
    zombie = await a_host(database)
    await zombie.apply([Recollect(ADA)])
    heir = await a_host(database)
    note = a_note()
    await zombie.apply([note], Origin(LANE, 1))
    (receipt,) = await heir.apply([note], Origin(LANE, 1), retried=True)
    ((item,),) = await heir.apply([Recollect(ADA)])

    assert (receipt.version, receipt.new, item.operation_id) == (1, True, note.id)


async def test_receipts_are_one_row_a_lane_and_expire(database: Database) -> None:
    """A lane's next batch replaces the receipts of the one before; the old go in the end."""
    host = await a_host(database)
    for number in range(1, 6):
        await host.apply([a_note(ack=Ack.DURABLE)], Origin(LANE, number))
    async with database.service() as connection:
        rows = await connection.fetch("SELECT batch FROM batch_receipts")
        await connection.execute("UPDATE batch_receipts SET committed_at = now() - interval '1 h'")
    await purge_expired(database)
    async with database.service() as connection:
        left = await connection.fetchval("SELECT count(*) FROM batch_receipts")

    assert ([row["batch"] for row in rows], left) == ([5], 0)
    assert (await loaded(await taken(database), ADA)).items[0].version == 5
