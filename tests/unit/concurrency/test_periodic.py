"""Work that comes again and again."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from pinak_ray.concurrency.periodic import every, set_within
from tests.support.waiting import until

AN_HOUR = 3600.0


@asynccontextmanager
async def running(work: Coroutine[Any, Any, Any]) -> AsyncIterator["asyncio.Task[Any]"]:
    """Do it meanwhile; end it afterwards."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_goes_on_after_a_failure_and_says_which_work_it_was() -> None:
    """What fails is logged under its name, and done again."""
    fates: list[Exception | None] = [OSError("gone"), None, ValueError("bad"), None]

    async def work() -> None:
        fate = fates.pop(0) if fates else None
        if fate is not None:
            raise fate

    with capture_logs() as logs:
        async with running(every(0.0, work, "counting_failed")) as task:
            await until(lambda: not fates, what="each fate has come")
            assert not task.done()

    assert [(log["event"], log["error"]) for log in logs] == [
        ("counting_failed", "OSError('gone')"), ("counting_failed", "ValueError('bad')"),
    ]  # fmt: skip


async def test_it_is_done_at_once_again_while_it_finds_some() -> None:
    """A backlog is worked off without a pause; only then it rests."""
    found = [3, 2, 1, 0]
    wake = asyncio.Event()
    wake.set()

    async def work() -> int:
        return found.pop(0)

    async with running(every(AN_HOUR, work, "failed", wake=wake)):
        await until(lambda: not found, what="all is found")


async def test_it_is_woken_and_misses_no_call() -> None:
    """What calls while it works is looked after when that is done, without the wait."""
    wake, done, hold = asyncio.Event(), 0, asyncio.Event()

    async def work() -> None:
        nonlocal done
        done += 1
        await hold.wait()

    async with running(every(AN_HOUR, work, "failed", wake=wake)):
        wake.set()
        await until(lambda: done == 1, what="the first call is heard")
        wake.set()
        hold.set()
        await until(lambda: done == 2, what="the second call is heard")


async def test_it_ends_when_it_is_cancelled() -> None:
    """A drain ends it, also in the middle of its work."""
    began = asyncio.Event()

    async def work() -> None:
        began.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(every(0.0, work, "failed"))
    await asyncio.wait_for(began.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_wait_within_a_time_ends_by_either() -> None:
    """It ends with the event or with the time, and raises neither way."""
    event = asyncio.Event()
    await set_within(event, 0.0)
    assert not event.is_set()
    event.set()
    await asyncio.wait_for(set_within(event, AN_HOUR), 60)
