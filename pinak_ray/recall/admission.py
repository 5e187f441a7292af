"""Who may search now: some at once, some in line, the others hear Overloaded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pinak_ray.records.errors import Overloaded

__all__ = ["Admission"]


@dataclass(slots=True)
class Admission:
    """A semaphore whose line is bounded in length and in time.

    The pool below it waits 30 s for a connection and lets any number wait: without this, a burst
    of searches would answer nobody in time.
    """

    what: str
    at_once: int
    in_line: int = 256
    patience_s: float = 5.0
    waiting: int = 0
    """How many are in line now."""
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it; raises Overloaded when the line is full, or too slow."""
        if self._turns.locked() and self.waiting >= self.in_line:
            raise Overloaded(f"{self.waiting} callers wait for {self.what}, its limit", 1.0)
        self.waiting += 1
        try:
            async with asyncio.timeout(self.patience_s):
                await self._turns.acquire()
        except TimeoutError:
            raise Overloaded(f"{self.what} had no turn in {self.patience_s:g} s", 1.0) from None
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._turns.release()
