"""The Indexer's lane that seals the vectors of large namespaces into segments."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

__all__ = ["keep_sealing"]

# A tail grows by 20,000 in a minute at most, and each look reads the figures of every namespace.
_LOOK_EVERY_S = 5.0


async def keep_sealing(seal_some: Callable[[], Awaitable[int]]) -> None:
    """Build what is due, one segment after the other, for ever."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            while rows := await seal_some():
                structlog.get_logger().info("segment_sealed", rows=rows)
        except Exception as error:
            structlog.get_logger().warning("sealing_failed", error=repr(error))
