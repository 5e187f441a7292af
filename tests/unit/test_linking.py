"""The lane that links similar memories."""

import asyncio

import pytest
from waiting import until

from pinak_ray.actors import linking
from pinak_ray.actors.linking import keep_linking


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
