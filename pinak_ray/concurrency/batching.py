"""Natural batching: what is asked while one batch is on its way leaves with the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pinak_ray.records.errors import Overloaded, PinakError

__all__ = ["Batcher"]

T = TypeVar("T")


@dataclass(slots=True)
class Batcher(Generic[T]):
    """Collects items of one event loop and carries them in batches, each to its own future.

    With `max_in_flight` of 1 items arrive in the order they were put in. The queue is bounded
    twice: `put` raises Overloaded when `capacity` items wait, or `capacity_bytes` of them.
    """

    carry: Callable[[Sequence[T]], Awaitable[Sequence[Any]]]
    """Delivers a batch; returns each item's result, or the PinakError that refused it."""
    max_batch: int
    max_in_flight: int = 1
    capacity: int = 16_384
    # 16,384 of the largest items would be a gigabyte.
    capacity_bytes: int = 64 << 20
    size_of: Callable[[T], int] = lambda _: 0
    """An item's size in bytes, as far as it matters."""
    _waiting: "deque[tuple[T, asyncio.Future[Any], int]]" = field(default_factory=deque)
    _waiting_bytes: int = 0
    _in_flight: int = 0
    _scheduled: bool = False
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def depth(self) -> int:
        """How many items wait for their batch to leave."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is on its way."""
        return not self._waiting and not self._in_flight

    def put(self, item: T) -> "asyncio.Future[Any]":
        """Queue one item and return the future of its result."""
        size = self.size_of(item)
        if len(self._waiting) >= self.capacity:
            raise Overloaded(f"{self.capacity} operations wait in this process, its limit", 0.1)
        if self._waiting and self._waiting_bytes + size > self.capacity_bytes:
            raise Overloaded(f"{self._waiting_bytes} bytes wait in this process, its limit", 0.1)
        self._waiting_bytes += size
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append((item, future, size))
        if not self._scheduled and self._in_flight < self.max_in_flight:
            self._scheduled = True
            # Not at once: all that this turn of the loop still asks for shares the batch.
            loop.call_soon(self._flush)
        return future

    async def drained(self) -> None:
        """Return once nothing waits or is on its way."""
        while not self.idle:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            else:
                await asyncio.sleep(0)  # the first batch leaves with the next turn of the loop

    def _flush(self) -> None:
        self._scheduled = False
        while self._waiting and self._in_flight < self.max_in_flight:
            size = min(self.max_batch, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            self._waiting_bytes -= sum(item_size for _, _, item_size in batch)
            self._in_flight += 1
            task = asyncio.get_running_loop().create_task(self._deliver(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, batch: "list[tuple[T, asyncio.Future[Any], int]]") -> None:
        try:
            results = await self.carry([item for item, _, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results came back for {len(batch)} items")
        except BaseException as error:
            for _, future, _ in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future, _), result in zip(batch, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, PinakError):
                    future.set_exception(result)
                else:
                    future.set_result(result)
        finally:
            self._in_flight -= 1
            self._flush()
