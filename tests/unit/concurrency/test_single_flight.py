"""Single-flight: one run for all who ask at once; nobody's end is another's."""

import asyncio

import pytest

from pinak_ray.concurrency.single_flight import SingleFlight
from tests.support.waiting import until


class Work:
    """Counts its runs, and waits to be let go on."""

    def __init__(self) -> None:
        self.runs = self.cancelled = 0
        self.go_on = asyncio.Event()
        self.failure: Exception | None = None

    async def __call__(self) -> int:
        """Run once."""
        self.runs += 1
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        return self.runs


async def callers(
    flights: SingleFlight[str, int], work: Work, count: int, key: str = "key"
) -> list[asyncio.Task[int]]:
    """Start callers that all wait."""
    before, started = work.runs, flights.shared
    tasks = [asyncio.create_task(flights.run(key, work)) for _ in range(count)]
    await until(lambda: work.runs - before + flights.shared - started >= count, what="all wait")
    return tasks


async def test_equal_callers_share_one_run() -> None:
    """All get its result; who comes after it has ended begins anew, and other keys never share."""
    flights, work = SingleFlight[str, int](), Work()
    waiting = await callers(flights, work, 3)
    other = await callers(flights, work, 1, "other")
    work.go_on.set()
    assert await asyncio.gather(*waiting, *other) == [2, 2, 2, 2]
    assert (work.runs, flights.shared) == (2, 2)
    assert await flights.run("key", work) == 3


async def test_an_error_is_all_callers_and_nobodys_after() -> None:
    """Every caller hears what the run raised; the next one runs again."""
    flights, work = SingleFlight[str, int](), Work()
    waiting = await callers(flights, work, 3)
    work.failure = ValueError("no")
    work.go_on.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(error) for error in told] == ["no"] * 3
    work.failure = None
    assert await flights.run("key", work) == 2


@pytest.mark.parametrize("leaver", [0, 1], ids=["who began it", "who joined it"])
async def test_a_caller_that_leaves_takes_nobody_along(leaver: int) -> None:
    """Cancelling one caller leaves the run to the others."""
    flights, work = SingleFlight[str, int](), Work()
    waiting = await callers(flights, work, 3)
    gone = waiting.pop(leaver)
    gone.cancel()
    await asyncio.wait([gone])
    assert gone.cancelled()
    work.go_on.set()
    assert await asyncio.gather(*waiting) == [1, 1]
    assert work.cancelled == 0


async def test_the_last_one_ends_the_run() -> None:
    """A run that nobody waits for is cancelled, and the next caller does not join it."""
    flights, work = SingleFlight[str, int](), Work()
    waiting = await callers(flights, work, 2)
    for each in waiting:
        each.cancel()
    await asyncio.wait(waiting)
    work.go_on.set()
    assert await flights.run("key", work) == 2
    await until(lambda: work.cancelled == 1, what="the run was cancelled")
