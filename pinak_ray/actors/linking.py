"""The Indexer's lane that links similar memories, in the time that indexing leaves."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

__all__ = ["keep_linking"]

_LOOK_EVERY_S = 1.0
# To link one memory costs a search, in a namespace of 10k as much as to embed two. After each few
# it pauses: while memories come in, so many times as long as it worked, which leaves indexing 95%.
_PAUSE_WHILE_INDEXING = 19.0
_PAUSE = 1.0


async def keep_linking(
    link_some: Callable[[], Awaitable[int]], indexes: Callable[[], bool]
) -> None:
    """Link what waits, for ever; `indexes` tells whether memories are being indexed now."""
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            while True:
                started = clock()
                if not await link_some():
                    break
                worked = clock() - started
                await asyncio.sleep(worked * (_PAUSE_WHILE_INDEXING if indexes() else _PAUSE))
        except Exception as error:
            structlog.get_logger().warning("linking_failed", error=repr(error))
