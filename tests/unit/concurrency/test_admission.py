"""Admission: some at once, some in line, Overloaded for the rest; nobody waits for ever."""

import asyncio

import pytest

from pinak_ray.concurrency.admission import Admission
from pinak_ray.records.errors import Overloaded
from tests.support.waiting import until


async def held(admission: Admission, release: asyncio.Event, whose: int = 1) -> str:
    """Hold a turn until released."""
    async with admission.turn(whose):
        await release.wait()
    return "served"


async def test_a_full_line_refuses_at_once() -> None:
    """One works, two wait, the fourth is refused; then all three are served."""
    admission, release = Admission("the search", at_once=1, in_line=2), asyncio.Event()
    callers = [asyncio.create_task(held(admission, release)) for _ in range(3)]
    await until(lambda: admission.waiting == 2, what="the line is full")
    with pytest.raises(Overloaded, match="2 callers wait for the search") as refusal:
        await held(admission, release)
    release.set()

    assert refusal.value.retry_after_s == 1.0
    assert await asyncio.gather(*callers) == ["served"] * 3
    assert await held(admission, release) == "served"


async def test_nobody_stands_in_line_for_ever() -> None:
    """A turn that does not come is Overloaded, and leaves the line."""
    admission, release = Admission("the search", at_once=1, patience_s=0.01), asyncio.Event()
    async with admission.turn(1):
        with pytest.raises(Overloaded, match="no turn in"):
            await held(admission, release)
    release.set()

    assert (await held(admission, release), admission.waiting) == ("served", 0)


async def test_a_caller_that_leaves_gives_its_place_back() -> None:
    """Cancelled while it works or waits, it holds nothing."""
    admission, release = Admission("the search", at_once=1, in_line=1), asyncio.Event()
    working, waiting = (asyncio.create_task(held(admission, release)) for _ in range(2))
    await until(lambda: admission.waiting == 1, what="one works, one waits")
    waiting.cancel()
    working.cancel()
    await asyncio.wait([working, waiting])
    release.set()

    assert (await held(admission, release), admission.waiting) == ("served", 0)


async def in_order(admission: Admission, *lines: tuple[int, int]) -> list[int]:
    """Let so many of each namespace wait, in this order; return in which order they are served."""
    served: list[int] = []

    async def ask(whose: int) -> None:
        async with admission.turn(whose):
            served.append(whose)

    async with admission.turn("somebody"):
        callers = []
        for whose, number in lines:
            before = admission.waiting
            callers += [asyncio.create_task(ask(whose)) for _ in range(number)]
            await until(lambda: admission.waiting == before + number, what="they wait")  # noqa: B023
    await asyncio.gather(*callers)
    return served


async def test_a_newcomer_is_next_whatever_another_has_waiting() -> None:
    """64 of one namespace wait; then one of another comes, and then two of a third."""
    served = await in_order(Admission("the search", at_once=1), (1, 64), (2, 1), (3, 2))

    assert served[:6] == [1, 2, 3, 1, 3, 1]
    assert served.count(1) == 64


async def test_in_a_full_house_the_longest_line_makes_room() -> None:
    """A newcomer takes the place of the newest of many; of lines as long nobody is sent away."""
    admission, release = Admission("the search", at_once=1, in_line=4), asyncio.Event()
    async with admission.turn("somebody"):
        many = [asyncio.create_task(held(admission, release, 1)) for _ in range(4)]
        await until(lambda: admission.waiting == 4, what="the line is full")
        few = [asyncio.create_task(held(admission, release, 2)) for _ in range(2)]
        await until(many[2].done, what="two are sent away")
        for whose in (1, 2):
            with pytest.raises(Overloaded):
                await held(admission, release, whose)
        release.set()

    fates = await asyncio.gather(*many, *few, return_exceptions=True)
    refused = [isinstance(fate, Overloaded) for fate in fates]
    assert refused == [False, False, True, True, False, False]
    assert admission.waiting == 0
