"""The Indexer's lane that links similar memories, in the time that indexing leaves."""

import asyncio
from collections.abc import Awaitable, Callable

from pinak_ray.concurrency.periodic import every

__all__ = ["keep_linking"]

_LOOK_EVERY_S = 1.0
# To link one memory costs a search: in a namespace of 10k as much as to embed five. Beside indexing
# a twentieth of the time took a quarter of its throughput, so that it waits until that is done, but
# not for ever: under a load without end a few are linked every half minute.
_PATIENCE_S = 30.0
# A tenth of the time: while a backlog was linked without a pause, intents among 10,000 failures
# took three times as long.
_PAUSE = 9.0


async def keep_linking(
    link_some: Callable[[], Awaitable[int]], indexes: Callable[[], bool]
) -> None:
    """Link what waits, for ever; `indexes` tells whether memories are being indexed now."""
    clock = asyncio.get_running_loop().time
    linked_at = clock()

    async def link() -> bool:
        nonlocal linked_at
        started = clock()
        if (indexes() and started - linked_at <= _PATIENCE_S) or not await link_some():
            return False
        linked_at = clock()
        await asyncio.sleep(_PAUSE * (linked_at - started))
        return True

    await every(_LOOK_EVERY_S, link, "linking_failed")
