"""Work that comes again and again, for as long as its process lives."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import structlog

__all__ = ["every", "set_within"]


async def every(
    seconds: float,
    work: Callable[[], Awaitable[object]],
    name: str,
    *,
    wake: asyncio.Event | None = None,
    jitter: float = 0.0,
    after_failure_s: float = 0.0,
) -> NoReturn:
    """Do work after so many seconds, or once `wake` is set; and at once again while it found some.

    What it raises is logged under `name`, and it is done again next time.
    """
    log = structlog.get_logger()
    wake = wake or asyncio.Event()
    while True:
        await set_within(wake, seconds * random.uniform(1 - jitter, 1 + jitter))  # noqa: S311
        wake.clear()  # before looking: what comes meanwhile counts
        try:
            while await work():
                pass
        except Exception as error:
            log.warning(name, error=repr(error))
            await asyncio.sleep(after_failure_s)


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
