"""Admission: some at once, some in line, Overloaded for the rest; nobody waits for ever."""

import asyncio

import pytest
from waiting import until

from pinak_ray.recall.admission import Admission
from pinak_ray.records.errors import Overloaded


async def held(admission: Admission, release: asyncio.Event) -> str:
    """Hold a turn until released."""
    async with admission.turn():
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
    async with admission.turn():
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
