"""Lines in front of a commit: turns, shares and bounds, whatever the namespaces send."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.concurrency.commit_lines import Lines, Part
from pinak_ray.concurrency.group_commit import GroupCommit
from pinak_ray.records.errors import DatabaseUnavailable, Overloaded
from pinak_ray.store.faults import is_transient, translated
from tests.support.waiting import until


class Item(NamedTuple):
    """One row: whose it is, which of theirs, and how large."""

    whose: str
    number: int
    size: int = 1


def namespaces(items: Sequence[Item]) -> list[str]:
    """Return whose each item is."""
    return [item.whose for item in items]


def some(whose: str, count: int, *, first: int = 0, size: int = 1) -> list[Item]:
    """Return so many items of one namespace."""
    return [Item(whose, first + number, size) for number in range(count)]


class Shut:
    """A database that is shut until it is opened, and keeps what it was given, batch by batch."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.batches: list[list[Item]] = []
        self.shuts_after: Item | None = None
        self.failing = False

    async def commit(self, items: Sequence[Item]) -> Mapping[int, Any]:
        """Store a batch; the items with number 13 were there before."""
        await self.open.wait()
        if self.failing:
            raise ConnectionError("gone")
        self.batches.append(list(items))
        if self.shuts_after in items:
            self.open.clear()
        return {index: "met" for index, item in enumerate(items) if item.number == 13}

    def grouped(self, **options: Any) -> GroupCommit[Item, Any]:
        """Return a group commit in front of it, of one lane."""
        return GroupCommit(
            self.commit,
            "the queue",
            is_transient=is_transient,
            translated=translated,
            whose=namespaces,
            size_of=lambda item: item.size,
            **options,
        )


async def occupied(shut: Shut, commits: GroupCommit[Item, Any]) -> "asyncio.Future[Any]":
    """Put one item in flight, so that all that follows waits."""
    first = commits.put([Item("first", 0)])
    await until(lambda: not commits._lines.count, what="the first item is on its way")
    return first


async def test_a_newcomer_is_in_the_next_commit() -> None:
    """However much waits before it; and the one in front keeps the rest of its share."""
    shut = Shut()
    commits = shut.grouped(max_batch=64)
    first = await occupied(shut, commits)
    bulks = [commits.put(some(whose, 500)) for whose in "abc"]
    newcomer = commits.put([Item("new", 0)])
    shut.open.set()
    await asyncio.gather(first, newcomer, *bulks)

    assert Item("new", 0) in shut.batches[1]
    assert all(len(batch) == 64 for batch in shut.batches[1:-4])


async def test_one_alone_has_the_whole_commit() -> None:
    """Whoever nobody waits with fills its commits, and its calls are not cut."""
    shut = Shut()
    commits = shut.grouped(max_batch=64)
    first = await occupied(shut, commits)
    calls = [commits.put(some("a", 48, first=at)) for at in range(0, 192, 48)]
    shut.open.set()
    await asyncio.gather(first, *calls)

    assert [len(batch) for batch in shut.batches] == [1, 96, 96]


async def test_a_caller_of_many_namespaces_hears_once_and_of_each() -> None:
    """Its items stand in several lines and are stored apart; their fates have its own indexes."""
    shut = Shut()
    commits = shut.grouped(max_batch=8)
    first = await occupied(shut, commits)
    mixed = [item for pair in zip(some("a", 40), some("b", 40), strict=True) for item in pair]
    call = commits.put(mixed)
    shut.open.set()
    await first

    assert await call == {26: "met", 27: "met"}
    assert len(shut.batches) == 11


async def test_a_namespace_fills_its_share_and_no_other() -> None:
    """It hears Overloaded while others are taken, also with what is kept or comes in bytes."""
    shut = Shut()
    for keep in (False, True):
        commits = shut.grouped(capacity=64, capacity_bytes=6400)
        first = await occupied(shut, commits)
        held = [commits.put(some("a", 16, first=100), keep=keep) for _ in range(2)]
        with pytest.raises(Overloaded, match="32 items of this namespace waiting, its share"):
            commits.put([Item("a", 0)], keep=keep)
        with pytest.raises(Overloaded):
            commits.put([Item("b", 0), Item("a", 0)], keep=keep)
        held.append(commits.put(some("b", 8), keep=keep))
        held.append(commits.put([Item("c", 0, 3300)], keep=keep))
        with pytest.raises(Overloaded, match="1 items of this namespace"):
            commits.put([Item("c", 1)], keep=keep)
        held.append(commits.put([Item("d", 0)], keep=keep))
        held.append(commits.put(some("a", 40), keep=True, beyond=True))  # acknowledged before
        shut.open.set()
        await asyncio.gather(first, *held)
        assert await commits.submit([Item("a", 0)]) == {}
        shut.open.clear()


async def test_who_waited_long_enough_hears_what_is_stored() -> None:
    """Of a call that was cut, what is stored is told as stored when the rest is given up."""
    shut = Shut()
    shut.open.set()
    commits = shut.grouped(max_batch=4, retry_for_s=0.0, max_batch_bytes=100)
    before = commits.commit

    async def once(items: Sequence[Item]) -> Mapping[int, Any]:
        fates = await before(items)
        shut.failing = True
        return fates

    commits.commit = once
    call = commits.put(some("a", 3, size=90))
    fates = await call

    assert [item.number for batch in shut.batches for item in batch] == [0]
    assert {1: DatabaseUnavailable, 2: DatabaseUnavailable} == {
        index: type(fate) for index, fate in fates.items()
    }
    await commits.aclose()


async def test_draining_waits_for_one_namespace() -> None:
    """Who changes what it wrote before does not wait for what others have in line."""
    shut = Shut()
    commits = shut.grouped(max_batch=8)
    first = await occupied(shut, commits)
    bulk, own = commits.put(some("a", 40)), commits.put(some("b", 3))
    shut.shuts_after = Item("b", 2)
    draining = asyncio.create_task(commits.drain("b"))
    await asyncio.sleep(0)
    assert not draining.done()
    shut.open.set()
    await draining
    assert (first.done(), own.done(), bulk.done()) == (True, True, False)

    shut.open.set()
    await bulk


async def test_closing_in_the_middle_of_a_call_fails_it() -> None:
    """What a deadline cannot save is told to whoever waits in any line."""
    shut = Shut()
    commits = shut.grouped(max_batch=4)
    first = await occupied(shut, commits)
    waiting = [commits.put(some(whose, 9)) for whose in "ab"]
    await commits.aclose(timeout_s=0.01)

    for call in (first, *waiting):
        assert "stopped before this was stored" in str(call.exception())


SENT = st.lists(
    st.tuples(st.sampled_from("abcde"), st.lists(st.integers(0, 40), min_size=1, max_size=40)),
    min_size=1,
    max_size=12,
)


def lines_of(sent: list[tuple[str, list[int]]]) -> tuple[Lines[Item, Any], dict[str, list[Item]]]:
    """Return lines in which all this waits, and what each namespace has in its own."""
    lines: Lines[Item, Any] = Lines(10_000, 1 << 20, lambda item: item.size)
    wanted: defaultdict[str, list[Item]] = defaultdict(list)
    numbers: Counter[str] = Counter()
    for whose, sizes in sent:
        items = [Item(whose, numbers[whose] + at, size) for at, size in enumerate(sizes)]
        numbers[whose] += len(items)
        wanted[whose] += items
        call: Any = None
        lines.append(whose, Part(call, items, range(len(items)), sum(sizes)))
    return lines, wanted


@settings(max_examples=200, deadline=None)
@given(sent=SENT, most=st.integers(1, 64), most_bytes=st.integers(1, 400))
def test_the_law_of_turns(sent: list[tuple[str, list[int]]], most: int, most_bytes: int) -> None:
    """Nobody has more than half beside others, none waits twice while others are served twice,
    each line keeps its order, and everything leaves once."""
    lines, wanted = lines_of(sent)
    left, passed = dict(wanted), Counter[str]()
    while lines.count:
        waited = {whose for whose, items in left.items() if items}
        batch = [item for part in lines.take(most, most_bytes) for item in part.items]
        assert batch
        served = {item.whose for item in batch}
        for whose in served:
            own = [item for item in batch if item.whose == whose]
            assert own == left[whose][: len(own)]
            left[whose] = left[whose][len(own) :]
            size = sum(item.size for item in own)
            if len(waited) > 1:
                assert len(own) <= max(1, most // 2)
                assert size <= most_bytes / 2 or len(own) == 1
            else:
                assert size <= most_bytes or len(own) == 1
        assert len(waited) == 1 or len(batch) <= most
        assert len(waited) == 1 or len(served) == 1 or sum(i.size for i in batch) <= most_bytes
        for whose in waited:
            passed[whose] = 0 if whose in served else passed[whose] + 1
            # Each commit goes on where the last one stopped.
            assert passed[whose] < len(wanted)
        assert lines.count == sum(map(len, left.values()))
    assert lines.size == 0
    assert not any(left.values())


@settings(max_examples=100, deadline=None)
@given(
    puts=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 30)), max_size=60),
    capacity=st.integers(1, 200),
)
def test_the_law_of_bounds(puts: list[tuple[str, int]], capacity: int) -> None:
    """All never hold more than the capacity, and a line that grows no more than is left free."""
    lines: Lines[Item, Any] = Lines(capacity, 1 << 20, lambda item: item.size)
    held: Counter[str] = Counter()
    for whose, count in puts:
        if lines.full({whose: range(count)}) is None:
            grows = held[whose] > 0
            call: Any = None
            lines.append(whose, Part(call, some(whose, count), range(count), count))
            held[whose] += count
            assert not grows or held[whose] <= capacity - held.total()
        assert lines.count == held.total() <= capacity
        assert all(lines.room(each) >= 0 for each in "abcd")
