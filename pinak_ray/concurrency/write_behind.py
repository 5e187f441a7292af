"""What is written behind an answer: gathered for a moment, and in batches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import structlog

from pinak_ray.concurrency.periodic import set_within

__all__ = ["WriteBehind"]

K = TypeVar("K")
V = TypeVar("V")

_CLOSE_TIMEOUT_S = 5.0
_AFTER_A_FAULT_S = 1.0


@dataclass(slots=True)
class WriteBehind(Generic[K, V]):
    """A bounded queue with one value a key: the last one that was put there.

    What waits is lost with its process. A batch that fails is logged under `name`, and lost too
    unless `stays` says that its error passes: then it is written again, but for newer values.
    """

    name: str
    write: Callable[[Sequence[tuple[K, V]]], Awaitable[None]]
    capacity: int
    batch: int
    gather_s: float
    stays: Callable[[Exception], bool] = lambda _: False
    waiting: dict[K, V] = field(default_factory=dict)
    _writing: "asyncio.Task[None] | None" = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, key: K, value: V) -> bool:
        """Let a value wait; False where there is no room for another key. Returns at once."""
        if key not in self.waiting and len(self.waiting) >= self.capacity:
            return False
        self.waiting[key] = value
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return True

    async def aclose(self) -> None:
        """Write what waits, within five seconds."""
        self._closing.set()
        if self._writing is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._writing, _CLOSE_TIMEOUT_S)

    async def _write(self) -> None:
        while self.waiting:
            await set_within(self._closing, self.gather_s)
            taken, self.waiting = self.waiting, {}
            while batch := list(islice(taken.items(), self.batch)):
                try:
                    await self.write(batch)
                except Exception as error:
                    structlog.get_logger().warning(self.name, error=repr(error))
                    if self.stays(error):
                        self.waiting = {**taken, **self.waiting}
                        await asyncio.sleep(_AFTER_A_FAULT_S)
                        break
                for key, _ in batch:
                    del taken[key]
