"""Group commit: each caller learns the fate of its own items, and nothing is stored twice."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.concurrency.group_commit import GroupCommit
from pinak_ray.records.errors import DatabaseUnavailable, InvalidInput, Overloaded, Unavailable
from pinak_ray.store.faults import is_transient, translated
from tests.support.waiting import until

LONG_S = 3600.0


class Bad(str):
    """An item that the database refuses."""


@dataclass
class Table:
    """A database that may be shut, fail for a while, and refuse whole batches for one bad item."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[Exception] = field(default_factory=list)
    stored: list[Any] = field(default_factory=list)
    batches: list[list[Any]] = field(default_factory=list)

    async def commit(self, items: Sequence[Any]) -> Mapping[int, Any]:
        self.batches.append(list(items))
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        if any(isinstance(item, Bad) for item in items):
            raise ValueError("a bad row")
        repeated = {i: "repeated" for i, item in enumerate(items) if item in self.stored}
        self.stored += [item for item in items if item not in self.stored]
        return repeated


@pytest.fixture
def table() -> Table:
    """A table that answers at once."""
    table = Table()
    table.open.set()
    return table


def grouped(table: Table, **options: Any) -> GroupCommit[Any, Any]:
    """Return a group commit in front of the table."""
    return GroupCommit(
        table.commit, "the queue", is_transient=is_transient, translated=translated, **options
    )


async def start(commits: GroupCommit[Any, Any], *items: Any) -> "asyncio.Task[Any]":
    """Submit without waiting for the fate; return once the items are queued."""
    depth = commits.depth
    task = asyncio.create_task(commits.submit(items))  # type: ignore[arg-type]
    await until(lambda: commits.depth == depth + len(items) or task.done(), what="it is queued")
    return task


async def first_in_flight(table: Table, commits: GroupCommit[Any, Any]) -> "asyncio.Task[Any]":
    """Shut the table and leave one item on its way to it."""
    table.open.clear()
    task = await start(commits, "first")
    await until(lambda: table.batches == [["first"]], what="the first item is on its way")
    return task


async def test_each_caller_learns_its_own_fate(table: Table) -> None:
    """Callers that share a transaction get the fates of their own items, by their own index."""
    table.stored = ["b", "d"]
    commits = grouped(table)
    first = await first_in_flight(table, commits)
    callers = [await start(commits, "a", "b"), await start(commits, "c"), await start(commits, "d")]
    table.open.set()

    assert await asyncio.gather(first, *callers) == [{}, {1: "repeated"}, {}, {0: "repeated"}]
    assert table.batches[1:] == [["a", "b", "c", "d"]]
    assert (commits.committed, commits.batches, commits.depth) == (5, 2, 0)


async def test_nothing_to_commit_is_no_transaction(table: Table) -> None:
    """An empty submission returns at once and asks the database nothing."""
    assert await grouped(table).submit([]) == {}
    assert table.batches == []


async def test_a_lone_write_leaves_at_once(table: Table) -> None:
    """With no other write on its way an item does not wait for company."""
    commits = grouped(table, max_wait_s=LONG_S, lanes=4)
    async with asyncio.timeout(30):
        for item in "abc":
            await commits.submit([item])

    assert table.batches == [["a"], ["b"], ["c"]]


async def test_a_crowd_shares_a_transaction_beside_a_busy_lane(table: Table) -> None:
    """While one lane is busy another waits until a whole batch has come together."""
    commits = grouped(table, max_wait_s=LONG_S, lanes=2, max_batch=3)
    first = await first_in_flight(table, commits)
    callers = [await start(commits, item) for item in "ab"]
    assert table.batches == [["first"]]
    callers.append(await start(commits, "c"))
    await until(lambda: table.batches[1:] == [["a", "b", "c"]], what="the crowd left together")
    table.open.set()

    assert await asyncio.gather(first, *callers) == [{}, {}, {}, {}]


async def test_a_batch_is_never_larger_than_its_limit(table: Table) -> None:
    """What waits longer than a batch is committed in several, full ones first."""
    commits = grouped(table, max_batch=3)
    first = await first_in_flight(table, commits)
    callers = [await start(commits, index) for index in range(7)]
    table.open.set()
    await asyncio.gather(first, *callers)

    assert [len(batch) for batch in table.batches] == [1, 3, 3, 1]


async def test_a_full_queue_refuses_at_once_and_stores_nothing(table: Table) -> None:
    """What would not fit is Overloaded as a whole; what was queued before is stored."""
    commits = grouped(table, capacity=3)
    first = await first_in_flight(table, commits)
    second = await start(commits, "a", "b")
    with pytest.raises(Overloaded, match="the queue has 2 items waiting") as caught:
        await commits.submit(["c", "d"])
    third = await start(commits, "e")
    table.open.set()
    await asyncio.gather(first, second, third)

    assert caught.value.retry_after_s > 0
    assert table.stored == ["first", "a", "b", "e"]


async def test_large_items_fill_the_queue_before_their_number_does(table: Table) -> None:
    """Once so many bytes wait there is no room, and there is again when they are stored."""
    commits = grouped(table, capacity_bytes=4, size_of=len)
    first = await first_in_flight(table, commits)
    second = await start(commits, "abcd")
    assert commits.room == 0
    with pytest.raises(Overloaded):
        await commits.submit(["e"])
    table.open.set()
    await asyncio.gather(first, second)

    assert await commits.submit(["f"]) == {}
    assert table.stored == ["first", "abcd", "f"]


async def test_a_bad_item_fails_alone(table: Table) -> None:
    """A batch that the database refuses is halved until only the bad items are refused."""
    fates = await grouped(table).submit(["a", Bad("x"), "b", "c", Bad("y")])

    assert table.stored == ["a", "b", "c"]
    assert {1: InvalidInput, 4: InvalidInput} == {i: type(fate) for i, fate in fates.items()}
    assert "a bad row" in str(fates[1])


async def test_a_passing_failure_is_tried_again(table: Table) -> None:
    """A lost connection costs the caller time, not its write."""
    table.failures = [ConnectionError("gone"), TimeoutError()]

    assert await grouped(table).submit(["a"]) == {}
    assert table.batches == [["a"]] * 3
    assert table.stored == ["a"]


async def test_a_lost_reply_is_no_second_write(table: Table) -> None:
    """When the reply of a commit is lost, the repeated one finds its own rows."""

    async def committed_but_lost(items: Sequence[Any]) -> Mapping[int, Any]:
        fates = await table.commit(items)
        if len(table.batches) == 1:
            raise ConnectionError("the reply was lost")
        return fates

    fates = await GroupCommit(
        committed_but_lost, "the queue", is_transient=is_transient, translated=translated
    ).submit(["a", "b"])

    assert fates == {0: "repeated", 1: "repeated"}
    assert table.stored == ["a", "b"]


async def test_a_failure_that_does_not_pass_is_unavailable(table: Table) -> None:
    """After its deadline a batch fails as Unavailable, and the next one is tried all the same."""
    table.failures = [ConnectionError("gone")]
    commits = grouped(table, retry_for_s=0.0)

    (fate,) = (await commits.submit(["a"])).values()
    assert isinstance(fate, DatabaseUnavailable)
    assert "does not answer" in str(fate)
    assert await commits.submit(["b"]) == {}
    assert table.stored == ["b"]


async def test_what_was_accepted_is_not_given_up(table: Table) -> None:
    """Past the deadline of others it is tried again, in its place, until it is stored."""
    table.failures = [ConnectionError("gone")] * 4
    commits = grouped(table, retry_for_s=0.0)
    kept = commits.put(["a", "b"], keep=True)
    shared = await commits.submit(["c"])
    later = commits.put(["d"], keep=True)

    assert isinstance(shared[0], DatabaseUnavailable)
    assert commits.delayed == str(shared[0]).partition(";")[0]
    assert (await kept, await later) == ({}, {})
    assert [item for item in table.stored if item != "c"] == ["a", "b", "d"]
    assert commits.delayed is None


async def test_what_waits_behind_an_outage_hears_the_cause(table: Table) -> None:
    """A caller behind accepted items is told after its own time, and its room is free again."""
    table.failures = [ConnectionError("gone")] * 1000
    commits = grouped(table, retry_for_s=0.05, max_batch=2, capacity=3)
    kept = commits.put(["a", "b"], keep=True)
    await until(lambda: commits.delayed, what="the first try failed")
    (fate,) = (await commits.submit(["c"])).values()
    assert (type(fate), commits.room) == (DatabaseUnavailable, 3)
    table.failures.clear()

    assert await kept == {}
    assert await commits.submit(["d"]) == {}
    assert table.stored == ["a", "b", "d"]


async def test_a_bad_item_in_an_outage_is_blamed_alone(table: Table) -> None:
    """The database's state costs its batch time, and only the bad item is refused."""
    table.failures = [ConnectionError("gone")]
    commits = grouped(table)
    fates = await commits.put(["a", Bad("x"), "b"], keep=True)

    assert [(1, InvalidInput)] == [(index, type(fate)) for index, fate in fates.items()]
    assert table.stored == ["a", "b"]


async def test_one_lane_keeps_the_order(table: Table) -> None:
    """Items are stored in the order of submission, through failures and refusals."""
    commits = grouped(table, max_batch=4)
    table.failures = [ConnectionError("gone")]
    items = [Bad(f"{i}") if i % 7 == 3 else f"{i}" for i in range(40)]
    await asyncio.gather(*(commits.submit([item]) for item in items))

    assert [item for item in items if not isinstance(item, Bad)] == table.stored


async def test_a_caller_that_goes_away_harms_nobody(table: Table) -> None:
    """A cancelled caller's batch goes on, for the others and for its own item."""
    commits = grouped(table)
    first = await first_in_flight(table, commits)
    leaving, staying = await start(commits, "a"), await start(commits, "b")
    leaving.cancel()
    first.cancel()
    await asyncio.wait([leaving, first])
    table.open.set()

    assert await staying == {}
    assert (leaving.cancelled(), first.cancelled()) == (True, True)
    assert table.stored == ["first", "a", "b"]


async def test_drain_waits_for_what_came_before(table: Table) -> None:
    """Drain returns once everything submitted before is committed or refused."""
    commits = grouped(table)
    await first_in_flight(table, commits)
    await start(commits, "a", Bad("x"))
    draining = asyncio.create_task(commits.drain())
    table.open.set()
    await draining

    assert (table.stored, commits.depth) == (["first", "a"], 0)


async def test_closing_commits_what_waits_and_refuses_the_rest(table: Table) -> None:
    """After aclose everything queued is stored, and nothing more is taken."""
    commits = grouped(table)
    callers = [await first_in_flight(table, commits), await start(commits, "a")]
    closing = asyncio.create_task(commits.aclose())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="the queue is shutting down"):
        await commits.submit(["late"])
    table.open.set()
    await closing

    assert await asyncio.gather(*callers) == [{}, {}]
    assert table.stored == ["first", "a"]


async def test_closing_does_not_wait_for_ever(table: Table) -> None:
    """What the deadline of aclose cannot save fails as Unavailable, in flight or waiting."""
    commits = grouped(table)
    callers = [await first_in_flight(table, commits), await start(commits, "a")]
    await commits.aclose(timeout_s=0.01)
    fates = await asyncio.gather(*callers, return_exceptions=True)

    assert [Unavailable, Unavailable] == [type(fate) for fate in fates]
    assert table.stored == []


ITEMS = st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=12)


async def storm(
    chunks: list[list[bool]], failing_calls: set[int], options: Mapping[str, int]
) -> None:
    """Submit the chunks at once (True: a bad item) while some calls fail in passing."""
    counted: Counter[str] = Counter()
    calls = 0

    async def commit(items: Sequence[Any]) -> Mapping[int, Any]:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        if calls in failing_calls:
            raise ConnectionError("gone")
        if any(isinstance(item, Bad) for item in items):
            raise ValueError("a bad row")
        counted.update(items)
        return {}

    named = [
        [Bad(f"{i}/{j}") if bad else f"{i}/{j}" for j, bad in enumerate(chunk)]
        for i, chunk in enumerate(chunks)
    ]
    commits: GroupCommit[Any, Any] = GroupCommit(
        commit,
        "the queue",
        is_transient=is_transient,
        translated=translated,
        max_wait_s=0.0,
        **options,
    )
    fates = await asyncio.gather(*(commits.submit(chunk) for chunk in named))
    await commits.aclose()
    good = [item for chunk in named for item in chunk if not isinstance(item, Bad)]

    assert dict.fromkeys(good, 1) == counted
    for chunk, fate in zip(named, fates, strict=True):
        refused = {i for i, item in enumerate(chunk) if isinstance(item, Bad)}
        assert refused == fate.keys()
        assert all(isinstance(one, InvalidInput) for one in fate.values())


@settings(max_examples=60, deadline=None)
@given(
    chunks=ITEMS,
    failing_calls=st.sets(st.integers(1, 8), max_size=2),
    max_batch=st.integers(1, 9),
    lanes=st.integers(1, 3),
)
def test_every_item_is_committed_once_or_refused(
    chunks: list[list[bool]], failing_calls: set[int], max_batch: int, lanes: int
) -> None:
    """Whatever the chunks, batches, lanes, refusals and passing failures: once, or refused."""
    asyncio.run(storm(chunks, failing_calls, {"max_batch": max_batch, "lanes": lanes}))
