"""Placement: rendezvous hashing moves only what it must."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.state.owners import SHARDS, Owner, Space, shard_of
from pinak_ray.records.topology import Placement, place

HOSTS = tuple(f"host-{i}" for i in range(16))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 16])
def test_every_shard_has_one_host(count: int) -> None:
    """All shards are placed, on hosts that exist."""
    placed = place(HOSTS[:count])

    assert len(placed) == SHARDS
    assert set(placed) == set(HOSTS[:count])


@pytest.mark.parametrize("count", range(1, 15))
def test_a_new_host_moves_only_what_it_gains(count: int) -> None:
    """Adding a host takes shards from the others and moves none between them."""
    before, after = place(HOSTS[:count]), place(HOSTS[: count + 1])
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]

    assert {new for _, new in moved} == {HOSTS[count]}


@given(st.permutations(HOSTS[:6]))
def test_the_order_of_the_hosts_does_not_matter(hosts: list[str]) -> None:
    """Two processes that list the hosts differently agree on every owner."""
    assert place(HOSTS[:6]) == place(tuple(hosts))


@pytest.mark.parametrize("count", [2, 4, 8])
def test_the_load_is_balanced_within_reason(count: int) -> None:
    """No host has less than half or more than double its fair share."""
    fair = SHARDS / count
    loads = Counter(place(HOSTS[:count])).values()

    assert fair / 2 <= min(loads)
    assert max(loads) <= fair * 2


def test_the_placement_never_changes() -> None:
    """A release that placed shards otherwise would leave agents on two hosts during an upgrade."""
    placed = [int(host.removeprefix("host-")) for host in place(HOSTS[:3])[:8]]

    assert placed == [1, 2, 1, 2, 2, 2, 0, 0]
    assert shard_of(Owner(1, Space.AGENT, "ada")) == 93


def test_an_agent_and_a_board_of_one_name_are_two_owners() -> None:
    """Names are spread over the shards, and the space is part of the address."""
    shards = {shard_of(Owner(1, Space.AGENT, f"a{i}")) for i in range(5_000)}

    assert shards == set(range(SHARDS))
    assert shard_of(Owner(1, Space.AGENT, "x")) != shard_of(Owner(1, Space.BOARD, "x"))


def test_a_placement_answers_from_the_hashing() -> None:
    """A client finds an owner's host where the hosts themselves look."""
    placement = Placement(1, HOSTS[:4])
    owners = [Owner(1, Space.AGENT, f"a{i}") for i in range(500)]

    for owner in owners:
        host = placement.host_of(owner)
        assert host == place(HOSTS[:4])[shard_of(owner)]
        assert shard_of(owner) in placement.shards_of(host)
    assert sum(len(placement.shards_of(host)) for host in placement.all_hosts) == SHARDS


def test_a_dedicated_owner_leaves_its_shard_and_nobody_else_does() -> None:
    """A host of its own takes a shard of its own; the common ones stay where they were."""
    ada = Owner(1, Space.AGENT, "ada")
    twin = Owner(1, Space.AGENT, next(
        f"x{i}" for i in range(10_000)
        if shard_of(Owner(1, Space.AGENT, f"x{i}")) == shard_of(ada)
    ))  # fmt: skip
    before, after = Placement(1, HOSTS[:3]), Placement(2, HOSTS[:3], {ada: SHARDS})

    assert (after.shard_of(ada), after.host_of(ada)) == (SHARDS, "dedicated-256")
    assert after.shards_of("dedicated-256") == {SHARDS}
    assert after.host_of(twin) == before.host_of(twin) == before.host_of(ada)
    assert [before.shards_of(host) for host in HOSTS[:3]] == [
        after.shards_of(host) for host in HOSTS[:3]
    ]
