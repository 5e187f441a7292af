"""Work that begins before it is needed."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

__all__ = ["ahead"]

R = TypeVar("R")


@asynccontextmanager
async def ahead(work: Coroutine[Any, Any, R]) -> AsyncIterator["asyncio.Task[R]"]:
    """Begin the work and lend its task; what nobody waited for by the end is cancelled."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
