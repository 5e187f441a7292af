"""One value for each event loop, closed when its loop ends: `asyncio.run` makes a loop a call."""

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["PerLoop"]

T = TypeVar("T")

# Loops that ended without closing their asynchronous generators, as ones made by hand do, leave
# their sockets to the collector, which is in no hurry.
_LEFT_LOOPS = 32


class PerLoop(Generic[T]):
    """Makes a value on its first use in a loop, and closes it in that loop as it shuts down."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._kept: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]] = {}
        self._lock = threading.Lock()  # each thread may run a loop of its own

    def __len__(self) -> int:
        return len(self._kept)

    async def here(self) -> T:
        """Return the running loop's value."""
        loop = asyncio.get_running_loop()
        kept = self._kept.get(loop)
        if kept is None:
            self._forget_ended()
            value = self._make()
            kept = self._kept[loop] = (value, self._until_the_end(loop, value))
            # Begun here, it is one of the loop's asynchronous generators: asyncio.run closes them
            # before it closes the loop.
            await anext(kept[1])
        return kept[0]

    async def aclose(self) -> None:
        """Close the running loop's value."""
        kept = self._kept.get(asyncio.get_running_loop())
        if kept is not None:
            await kept[1].aclose()

    async def _until_the_end(
        self, loop: asyncio.AbstractEventLoop, value: T
    ) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._kept.pop(loop, None)
            await self._close(value)

    def _forget_ended(self) -> None:
        with self._lock:
            ended = [loop for loop in list(self._kept) if loop.is_closed()]
            if len(self._kept) - len(ended) >= _LEFT_LOOPS:
                ended += [loop for loop in list(self._kept) if not loop.is_running()]
            if len(ended) < _LEFT_LOOPS:
                return
            for loop in ended:
                self._kept.pop(loop, None)
            del ended[:]
        gc.collect()
