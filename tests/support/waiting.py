"""Await a condition instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.02


async def until(
    condition: Callable[[], T | Awaitable[T]], *, what: str, deadline_s: float = 60.0
) -> T:
    """Return the condition's first true value; fail when there is none before the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, f"after {deadline_s:g} s still not: {what}"
        await asyncio.sleep(_POLL_S)
