"""Watching a host: only what is committed, in order, from a cursor, and nobody is left behind."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from pinak_ray.agents.changes import Change
from pinak_ray.agents.host import Host
from pinak_ray.agents.log.watchers import Watchers
from pinak_ray.concurrency.shares import Shares
from pinak_ray.records.board.claims import ClaimOnce
from pinak_ray.records.board.notes import Tell
from pinak_ray.records.errors import InvalidInput, Overloaded, StaleEpoch, WrongShard
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Post, Watch, WatchPage
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.records.topology import Placement
from pinak_ray.testing.state import LocalState
from tests.support.waiting import until

BOARD = Owner(7, Space.BOARD, "plan")
ALONE = Placement(1, ("local",))


@dataclass(slots=True)
class SlowState(LocalState):
    """A store that commits one batch each time it is told to, or refuses it."""

    waiting: "list[tuple[Sequence[Change], asyncio.Future[Mapping[int, Any]]]]" = field(
        default_factory=list
    )

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        fate: asyncio.Future[Mapping[int, Any]] = asyncio.get_running_loop().create_future()
        self.waiting.append((changes, fate))
        return fate

    def commit(self) -> None:
        """Commit the oldest batch."""
        changes, fate = self.waiting.pop(0)
        LocalState.submit(self, changes)
        fate.set_result({})

    def refuse(self, error: Exception) -> None:
        """Refuse the oldest batch."""
        changes, fate = self.waiting.pop(0)
        fate.set_result(dict.fromkeys(range(len(changes)), error))


def a_host(state: LocalState, **options: Any) -> Host:
    """Return a host of everything."""
    return Host(state, ALONE, ALONE.shards_of("local"), **options)


def a_post(content: str, kind: EntryKind = EntryKind.FINDING, **fields: Any) -> Post:
    """Return a post to the board."""
    return Post(BOARD, uuid4(), kind, fields.pop("author", "ada"), content, **fields)


def contents(page: WatchPage) -> list[str]:
    """Return what the page's entries say."""
    return [entry.content for entry in page.entries]


async def parked(host: Host, count: int) -> None:
    """Return once so many watchers wait."""
    await until(lambda: host.watchers.parked == count, what=f"{count} watchers wait")


async def test_a_page_is_full_or_ends_at_the_newest_entry() -> None:
    """Pages come in order; a filtered one moves the cursor over what did not match."""
    host = a_host(LocalState())
    await host.apply([a_post(f"{n}", author="ada" if n % 2 else "bob") for n in range(5)])
    first = await host.watch(Watch(BOARD, limit=2))
    rest = await host.watch(Watch(BOARD, first.cursor))
    nothing = await host.watch(Watch(BOARD, authors=("eve",), wait_s=0))

    assert (contents(first), first.cursor) == (["0", "1"], 2)
    assert (contents(rest), rest.cursor) == (["2", "3", "4"], 5)
    assert nothing == WatchPage((), 5)


async def test_filters_choose_entries() -> None:
    """Kinds and authors are lists of which one must fit; a prefix is one of public keys."""
    host = a_host(LocalState())
    await host.apply(
        [
            a_post("a", author="ada"),
            a_post("b", EntryKind.PUBLIC, author="bob", key="b"),
            a_post("c", EntryKind.PUBLIC, key="plan/1"),
            a_post("d", EntryKind.PUBLIC, key="other"),
        ]
    )

    async def seen(**fields: Any) -> list[str]:
        return contents(await host.watch(Watch(BOARD, wait_s=0, **fields)))

    assert await seen() == ["a", "b", "c", "d"]
    assert await seen(kinds=(EntryKind.FINDING, EntryKind.NOTE)) == ["a"]
    assert await seen(authors=("bob",)) == ["b"]
    assert await seen(prefix="plan/") == ["c"]


async def test_an_entry_is_shown_once_it_is_committed() -> None:
    """What could still be refused is not shown, and its commit wakes the watcher."""
    state = SlowState()
    host = a_host(state)
    posting = asyncio.create_task(host.apply([a_post("late")]))
    await until(lambda: state.waiting, what="the change is on its way")
    assert await host.watch(Watch(BOARD, wait_s=0)) == WatchPage((), 0)
    watching = asyncio.create_task(host.watch(Watch(BOARD)))
    await parked(host, 1)
    state.commit()
    await posting

    assert contents(await watching) == ["late"]
    assert host.watchers.parked == 0


async def test_what_was_refused_is_never_shown() -> None:
    """The next entry takes its place, and is seen by whoever waited."""
    state = SlowState()
    host = a_host(state)
    watching = asyncio.create_task(host.watch(Watch(BOARD)))
    await parked(host, 1)
    posting = asyncio.create_task(host.apply([a_post("bad")]))
    await until(lambda: state.waiting, what="the change is on its way")
    state.refuse(InvalidInput("no"))
    await posting
    await parked(host, 1)
    posting = asyncio.create_task(host.apply([a_post("good")]))
    await until(lambda: state.waiting, what="the next change is on its way")
    state.commit()
    await posting

    page = await watching
    assert (contents(page), page.cursor) == (["good"], 1)


async def test_a_refused_replacement_brings_back_what_it_replaced() -> None:
    """A watcher does not pass an entry while its replacement could still be refused."""
    state = SlowState()
    host = a_host(state)
    for post in (a_post("first", EntryKind.PUBLIC, key="k"), a_post("second")):
        posting = asyncio.create_task(host.apply([post]))
        await until(lambda: state.waiting, what="the change is on its way")
        state.commit()
        await posting
    replacing = asyncio.create_task(host.apply([a_post("new", EntryKind.PUBLIC, key="k")]))
    await until(lambda: state.waiting, what="the replacement is on its way")
    behind = await host.watch(Watch(BOARD, wait_s=0))
    ahead = await host.watch(Watch(BOARD, 1, wait_s=0))
    state.refuse(InvalidInput("no"))
    await replacing

    assert (behind, contents(ahead)) == (WatchPage((), 0), ["second"])
    assert contents(await host.watch(Watch(BOARD, behind.cursor))) == ["first", "second"]


@pytest.mark.parametrize("how", ["released", "fenced"])
async def test_an_owner_that_moves_wakes_its_watchers(how: str) -> None:
    """They hear WrongShard at once, and ask where the owner is now."""
    state = SlowState()
    host = a_host(state)
    watching = asyncio.create_task(host.watch(Watch(BOARD)))
    await parked(host, 1)
    if how == "released":
        await host.release(Placement(2, ("other",)), frozenset())
    else:
        posting = asyncio.create_task(host.apply([a_post("late")]))
        await until(lambda: state.waiting, what="the change is on its way")
        state.refuse(StaleEpoch("taken"))
        await posting

    with pytest.raises(WrongShard):
        await watching
    assert host.watchers.parked == 0


async def test_watchers_are_bounded_and_none_is_left_behind() -> None:
    """One more of a namespace hears Overloaded; who ends, is cancelled or times out leaves."""
    host = a_host(LocalState(), watchers=Watchers(Shares(3)))
    waiting = [asyncio.create_task(host.watch(Watch(BOARD))) for _ in range(2)]
    await parked(host, 2)
    with pytest.raises(Overloaded):
        await host.watch(Watch(BOARD))
    neighbour = asyncio.create_task(host.watch(Watch(BOARD._replace(namespace_id=8))))
    await parked(host, 3)  # of another namespace, there is a place for it
    waiting[0].cancel()
    neighbour.cancel()
    await parked(host, 1)
    assert await host.watch(Watch(BOARD, wait_s=0.01)) == WatchPage((), 0)
    await host.apply([a_post("one")])

    assert contents(await waiting[1]) == ["one"]
    assert host.watchers.parked == 0
    assert not host.watchers._waits


async def test_a_claim_is_committed_before_it_is_granted_whatever_was_asked() -> None:
    """A receipt with `accepted` waits for nothing; a claim is a promise to others, and does."""
    host = a_host(state := SlowState())
    note: Execute[Receipt] = Execute(BOARD, uuid4(), "ada", Tell(content="here"), Ack.ACCEPTED)
    (receipt,) = await asyncio.wait_for(host.apply([note]), 60)
    assert receipt.new

    command = ClaimOnce(subject="log://a")
    claim: Execute[Any] = Execute(BOARD, uuid4(), "ada", command, Ack.ACCEPTED)
    granting = asyncio.create_task(host.apply([claim]))
    await until(lambda: len(state.waiting) == 2, what="the note, and behind it the claim")
    assert not granting.done()
    state.commit()
    state.commit()
    (granted,) = await asyncio.wait_for(granting, 60)
    assert granted.granted
