"""The lane that links similar memories."""

import asyncio

import pytest

from pinak_ray.services.indexing import linking
from pinak_ray.services.indexing.linking import keep_linking
from tests.support.waiting import until


async def test_it_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away, or a memory that cannot be linked, does not end the lane."""
    monkeypatch.setattr(linking, "_LOOK_EVERY_S", 0.0)
    fates = [3, 0, OSError("gone"), 2, ValueError("bad"), 1]
    seen: list[int | Exception] = []

    async def link_some() -> int:
        fate = fates.pop(0) if fates else 0
        seen.append(fate)
        if isinstance(fate, Exception):
            raise fate
        return fate

    lane = asyncio.create_task(keep_linking(link_some, lambda: False))
    await until(lambda: not fates, what="every fate has come")
    lane.cancel()

    assert [fate for fate in seen if isinstance(fate, int) and fate] == [3, 2, 1]


async def test_it_waits_while_memories_are_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is linked beside indexing, but under a load without end some are in the end."""
    monkeypatch.setattr(linking, "_LOOK_EVERY_S", 0.0)
    linked = asyncio.Event()
    looks = 0

    async def link_some() -> int:
        linked.set()
        return 1

    def indexes() -> bool:
        nonlocal looks
        looks += 1
        return True

    lane = asyncio.create_task(keep_linking(link_some, indexes))
    await until(lambda: looks > 50, what="it has looked often")
    assert not linked.is_set()
    monkeypatch.setattr(linking, "_PATIENCE_S", 0.0)
    await asyncio.wait_for(linked.wait(), 60)
    lane.cancel()
