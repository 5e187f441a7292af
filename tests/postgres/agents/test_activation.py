"""Activation and passivation: a host holds what it needs, within its budget, and loses nothing."""

import asyncio
from uuid import uuid4

import pytest

from pinak_ray.agents.host import Host
from pinak_ray.records.errors import Overloaded, WrongShard
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import Note, Recollect
from pinak_ray.records.state.owners import SHARDS, Owner, Space, shard_of
from pinak_ray.records.topology import Placement
from pinak_ray.store.database import Database
from tests.support.taken import ALONE, EVERY, a_host_over, loaded, taken

pytestmark = pytest.mark.postgres

AGENTS = [Owner(7, Space.AGENT, f"agent-{i}") for i in range(60)]


def a_note(owner: Owner, value: bytes = b"1", **fields: Ack) -> Note:
    """Return a note."""
    return Note(owner, "plan", value, uuid4(), **fields)


async def values(host: Host) -> list[bytes]:
    """Return what every agent holds, in the order of the agents."""
    found = await host.apply([Recollect(owner) for owner in AGENTS])
    return [items[0].encoded for items in found]


async def test_the_budget_holds_and_nothing_is_forgotten(database: Database) -> None:
    """With room for about ten agents, sixty are written and read: the others come back."""
    host = a_host_over(await taken(database), budget_bytes=15_000)
    for number, owner in enumerate(AGENTS):
        await host.apply([a_note(owner, b"%d" % number)])
    active = len(host.activations)
    found = [(await host.apply([Recollect(owner)]))[0][0].encoded for owner in AGENTS]

    assert found == [b"%d" % number for number in range(len(AGENTS))]
    assert 0 < active <= 11
    assert host.activations.size_bytes <= 15_000
    assert host.activations.passivated >= 100


async def test_one_batch_may_be_larger_than_the_budget(database: Database) -> None:
    """All owners of a batch are active together, however small the budget is."""
    host = a_host_over(await taken(database), budget_bytes=1)
    receipts = await host.apply([a_note(owner) for owner in AGENTS])

    assert {receipt.version for receipt in receipts} == {1}
    assert await values(host) == [b"1"] * len(AGENTS)


async def test_the_idle_leave_and_the_busy_stay(database: Database) -> None:
    """Passivation takes who was not used since, and no one whose change is not committed."""
    host = a_host_over(await taken(database))
    await host.apply([a_note(AGENTS[0]), a_note(AGENTS[1])])
    submitted = asyncio.create_task(host.apply([a_note(AGENTS[1], b"2")]))
    await asyncio.sleep(0)  # submitted, not yet committed
    gone = host.passivate(idle_s=0.0)
    await submitted

    assert gone == 1
    assert AGENTS[1] in host.activations
    assert host.passivate(idle_s=3600.0) == 0
    assert host.passivate(idle_s=0.0) == 1


async def test_released_shards_are_served_elsewhere(database: Database) -> None:
    """Accepted writes are committed by the release; then the old host names the new version."""
    state = await taken(database)
    old = a_host_over(state)
    await old.apply([a_note(owner, ack=Ack.ACCEPTED) for owner in AGENTS])
    both = Placement(2, ("host-0", "host-1"))
    keep = both.shards_of("host-0")
    await old.release(both, keep)
    state.follow(both, keep)
    new_state = await taken(database, "host-1", EVERY - keep)
    new = Host(new_state, both, frozenset(new_state.epochs))
    moved = [owner for owner in AGENTS if both.host_of(owner) == "host-1"]
    answers = await old.apply([a_note(owner, b"2") for owner in AGENTS])
    taken_over = await new.apply([Recollect(owner) for owner in moved])

    assert [
        owner for owner, a in zip(AGENTS, answers, strict=True) if isinstance(a, WrongShard)
    ] == moved
    assert {a.version for a in answers if isinstance(a, WrongShard)} == {2}
    assert [items[0].encoded for items in taken_over] == [b"1"] * len(moved)


async def test_a_dedicated_owner_moves_alone(database: Database) -> None:
    """It is served under its own shard; its old neighbours stay where they are."""
    state = await taken(database)
    common = a_host_over(state)
    ada = AGENTS[0]
    await common.apply([a_note(owner) for owner in AGENTS])
    placement = Placement(2, ALONE.hosts, {ada: SHARDS})
    await common.release(placement, EVERY)
    state.follow(placement, EVERY)
    own_state = await taken(database, "dedicated-256", [SHARDS])
    own_state.follow(placement, frozenset([SHARDS]))
    own = Host(own_state, placement, frozenset([SHARDS]))
    (refused,) = await common.apply([a_note(ada)])
    (receipt,) = await own.apply([a_note(ada)])
    others = await common.apply([a_note(owner) for owner in AGENTS[1:]])

    assert (WrongShard, 2) == (type(refused), receipt.version)
    assert {receipt.version for receipt in others} == {2}
    assert shard_of(ada) in state.epochs


async def test_a_full_commit_queue_is_said_before_anything_changes(database: Database) -> None:
    """Overloaded means that nothing of the batch happened, and the host goes on afterwards."""
    state = await taken(database)
    host = a_host_over(state)
    await host.apply([a_note(AGENTS[0])])
    state._commits._lines.capacity = 0
    refused = await host.apply([a_note(AGENTS[0], b"2"), a_note(AGENTS[1])])
    state._commits._lines.capacity = 100
    (receipt,) = await host.apply([a_note(AGENTS[0], b"3")])

    assert [Overloaded, Overloaded] == [type(answer) for answer in refused]
    assert receipt.version == 2
    assert (await loaded(state, AGENTS[1])).items == []
