"""Open what an actor owns on first use, once, and again if that failed.

An actor's `__init__` stays empty, so that a restart after kill -9 answers within a second or two
even while PostgreSQL is still recovering.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Lazy"]

T = TypeVar("T")


@dataclass(slots=True)
class Lazy(Generic[T]):
    """A single-flight opener: the first caller opens, the others wait for the same result."""

    opener: Callable[[], Awaitable[T]]
    _value: T | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self) -> T:
        """Return the opened thing; raises what the opener raised, and tries again next time."""
        if self._value is None:
            async with self._lock:
                if self._value is None:
                    self._value = await self.opener()
        return self._value

    @property
    def opened(self) -> T | None:
        """The opened thing, or None if nobody has used it yet."""
        return self._value
