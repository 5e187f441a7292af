"""Host over PostgreSQL: agents that outlive their host."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray.agents.changes import Change
from pinak_ray.agents.host import Host, Snapshot
from pinak_ray.records.errors import (
    InvalidInput,
    PinakError,
    StaleEpoch,
    Unavailable,
    VersionConflict,
    WrongShard,
)
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Note, Origin, Post, Read, Recollect
from pinak_ray.records.state.owners import EntryKind, Owner, Space, shard_of
from pinak_ray.store.agent_state import AgentState
from pinak_ray.store.database import Database
from tests.support.taken import ALONE, EVERY, loaded, taken

pytestmark = pytest.mark.postgres

ADA = Owner(7, Space.AGENT, "ada")
BOARD = Owner(7, Space.BOARD, "plan")


@dataclass
class Counting:
    """The store, which counts loads and may fail one submission before it commits."""

    state: AgentState
    loads: int = 0
    failure: PinakError | None = None

    @property
    def room(self) -> int:
        return self.state.room

    async def load(self, owners: Sequence[Owner]) -> Sequence[Snapshot]:
        self.loads += len(owners)
        return await self.state.load(owners)

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        return self.state.submit(changes, keep=keep)

    async def receipts(self, origin: Origin) -> Mapping[UUID, Receipt]:
        return await self.state.receipts(origin)

    async def drain(self) -> None:
        await self.state.drain()


async def a_host(database: Database, name: str = "host-0", **options: int) -> tuple[Host, Counting]:
    """Return a host that has just taken every shard."""
    store = Counting(await taken(database, name))
    return Host(store, ALONE, EVERY, **options), store


def a_note(key: str = "plan", value: bytes = b"1", owner: Owner = ADA, **fields: Any) -> Note:
    """Return a note."""
    return Note(owner, key, value, uuid4(), **fields)


def a_post(content: str, **fields: Any) -> Post:
    """Return a post to the board."""
    return Post(BOARD, uuid4(), fields.pop("kind", EntryKind.FINDING), "ada", content, **fields)


async def versions(host: Host, *notes: Note) -> list[int]:
    """Apply notes and return their versions."""
    return [receipt.version for receipt in await host.apply(notes)]


async def test_another_host_goes_on_where_the_first_stopped(database: Database) -> None:
    """On first use a host reads what was committed: versions, sequence numbers, and retries."""
    first, _ = await a_host(database)
    note, post = a_note(), a_post("draft", kind=EntryKind.PUBLIC, key="k")
    await first.apply([note, post])
    second, store = await a_host(database, "host-1")
    retried = await second.apply([note, post])
    after = await second.apply(
        [a_note(), a_post("final", kind=EntryKind.PUBLIC, key="k"), Read(BOARD)]
    )

    assert [(receipt.new, receipt.version) for receipt in retried] == [(False, 1), (False, 1)]
    assert [receipt.version for receipt in after[:2]] == [2, 2]
    assert [(entry.content, entry.seq) for entry in after[2]] == [("final", 2)]
    assert (store.loads, len(second.activations)) == (2, 2)


async def test_a_crowd_loads_an_agent_once(database: Database) -> None:
    """First uses that arrive together share one activation."""
    host, store = await a_host(database)
    await asyncio.gather(*(host.apply([Recollect(ADA)]) for _ in range(20)))

    assert store.loads == 1


async def test_results_come_in_the_order_of_the_operations(database: Database) -> None:
    """Each operation sees those before it, and a refused one refuses nothing else."""
    host, _ = await a_host(database)
    noted, refused, seen, misplaced = await host.apply(
        [
            a_note(),
            a_note(expected_version=9),
            Recollect(ADA, "plan"),
            Post(ADA, uuid4(), EntryKind.FINDING, "ada", "not on a scratchpad"),
        ]
    )

    assert (noted.version, noted.ack, noted.new) == (1, Ack.DURABLE, True)
    assert (VersionConflict, InvalidInput) == (type(refused), type(misplaced))
    assert [item.encoded for item in seen] == [b"1"]


async def test_concurrent_notes_rise_without_gap_or_repeat(database: Database) -> None:
    """However many callers write one key at once, each version is given once."""
    host, store = await a_host(database)
    given = await asyncio.gather(*(versions(host, a_note(), a_note()) for _ in range(50)))
    (item,) = (await loaded(store.state, ADA)).items

    assert list(range(1, 101)) == sorted(version for pair in given for version in pair)
    assert item.version == 100


async def test_a_compare_and_set_race_has_one_winner(database: Database) -> None:
    """Of those who expect the same version one wins; the others hear which is there."""
    host, _ = await a_host(database)
    race = [a_note(value=b"%d" % i, expected_version=0) for i in range(10)]
    results = [result for (result,) in await asyncio.gather(*(host.apply([n]) for n in race))]
    won = [i for i, result in enumerate(results) if not isinstance(result, VersionConflict)]
    ((item,),) = await host.apply([Recollect(ADA)])

    assert [b"%d" % i for i in won] == [item.encoded]
    assert [(r.expected, r.current) for i, r in enumerate(results) if i not in won] == [(0, 1)] * 9


async def test_a_failed_commit_evicts_and_reloads(database: Database) -> None:
    """What could not be committed is not seen again: the next use reads the database."""
    host, store = await a_host(database)
    await host.apply([a_note(value=b"1")])
    store.failure = Unavailable("gone")
    (lost,) = await host.apply([a_note(value=b"2")])
    ((item,),) = await host.apply([Recollect(ADA)])

    assert (Unavailable, b"1", 1) == (type(lost), item.encoded, item.version)
    assert await versions(host, a_note(value=b"3")) == [2]


async def test_a_value_that_the_database_refuses_leaves_the_last_good_one(
    database: Database,
) -> None:
    """The refused note fails for its caller; the others of the batch are stored."""
    host, _ = await a_host(database)
    bad, good = await host.apply([a_note("bad", b'"\\u0000"'), a_note("good")])
    (items,) = await host.apply([Recollect(ADA)])

    assert (InvalidInput, 1) == (type(bad), good.version)
    assert [item.key for item in items] == ["good"]


async def test_a_fenced_host_refuses_and_forgets(database: Database) -> None:
    """Once another host took over, a write fails as StaleEpoch and changes nothing there."""
    zombie, _ = await a_host(database)
    await zombie.apply([a_note(value=b"1")])
    heir, _ = await a_host(database, "host-1")
    (refused,) = await zombie.apply([a_note(value=b"2")])
    ((item,),) = await heir.apply([Recollect(ADA)])

    assert (StaleEpoch, b"1", 0) == (type(refused), item.encoded, len(zombie.activations))


async def test_operations_for_foreign_shards_are_refused(database: Database) -> None:
    """A host serves only owners of its shards, reads among them, and loads no other."""
    _, store = await a_host(database)
    host = Host(store, ALONE, EVERY - {shard_of(ADA)})
    own = Owner(7, Space.AGENT, "bob")
    assert shard_of(own) != shard_of(ADA)
    noted, read, ours = await host.apply([a_note(), Recollect(ADA), a_note(owner=own)])

    assert (WrongShard, WrongShard, 1) == (type(noted), type(read), ours.version)
    assert list((await loaded(store.state, ADA)).items) == []


async def test_accepted_writes_are_committed_before_the_host_closes(database: Database) -> None:
    """`accepted` does not wait for the commit, but closing does."""
    host, store = await a_host(database)
    (receipt,) = await host.apply([a_note(ack=Ack.ACCEPTED)])
    await host.apply([a_note("other")])
    await host.aclose()

    assert Ack.ACCEPTED is receipt.ack
    assert sorted(item.key for item in (await loaded(store.state, ADA)).items) == ["other", "plan"]
    assert len(host.activations) == 0
