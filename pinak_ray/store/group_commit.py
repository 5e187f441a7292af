"""Group commit: many callers, few transactions, each caller learns its own items' fate."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pinak_ray.records.errors import InvalidInput, Overloaded, Unavailable
from pinak_ray.store.faults import is_transient

__all__ = ["Commit", "Fates", "GroupCommit"]

T = TypeVar("T")
F = TypeVar("F")

Fates = Mapping[int, F | Exception]
"""Sparse: the index of an item in its batch to its fate; an absent index means plain success."""

Commit = Callable[[Sequence[T]], Awaitable[Fates[F]]]

# 10 ms doubling to 1 s: a restarting PostgreSQL answers after 1 to 15 s.
_FIRST_BACKOFF_S = 0.01
_LAST_BACKOFF_S = 1.0


@dataclass(slots=True, eq=False)
class _Chunk(Generic[T, F]):
    items: Sequence[T]
    size: int
    done: "asyncio.Future[Fates[F]]"


@dataclass(slots=True)
class GroupCommit(Generic[T, F]):
    """A bounded queue in front of `commit`, which stores a batch in one transaction.

    A free lane commits at once what is there; while another lane is busy it first waits for
    `max_batch` items or `max_wait_s`, whichever comes first, so that a lone write is never delayed
    and a crowd shares its transactions. `commit` must be idempotent: after a lost connection the
    same batch is tried again for `retry_for_s`. A batch that the database refuses is bisected until
    the bad item fails alone. One lane keeps the order of submission.
    """

    commit: Commit[T, F]
    what: str
    max_batch: int = 256
    max_wait_s: float = 0.004
    lanes: int = 1
    capacity: int = 16_384
    # 16,384 of the largest items would be a gigabyte.
    capacity_bytes: int = 64 << 20
    size_of: Callable[[T], int] = lambda _: 0
    """An item's size in bytes, as far as it matters."""
    retry_for_s: float = 60.0
    committed: int = 0
    batches: int = 0
    _chunks: "deque[_Chunk[T, F]]" = field(default_factory=deque)
    _open: "set[asyncio.Future[Fates[F]]]" = field(default_factory=set)
    _waiting: int = 0
    _waiting_bytes: int = 0
    _in_flight: int = 0
    _closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Something arrived, or a lane became free."""
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """How many items wait or are being committed."""
        return self._waiting + self._in_flight

    @property
    def room(self) -> int:
        """How many more items may be queued now; none once `capacity_bytes` of them wait."""
        return self.capacity - self._waiting if self._waiting_bytes < self.capacity_bytes else 0

    def put(self, items: Sequence[T]) -> "asyncio.Future[Fates[F]]":
        """Queue items now, and return the future of their fates.

        Raises Overloaded, storing nothing, when the queue is full, and Unavailable after `aclose`.
        """
        done: asyncio.Future[Fates[F]] = asyncio.get_running_loop().create_future()
        if not items:
            done.set_result({})
            return done
        if self._closed:
            raise Unavailable(f"{self.what} is shutting down")
        if len(items) > self.room:
            raise Overloaded(f"{self.what} has {self._waiting} items waiting, its limit", 0.5)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._lane()) for _ in range(self.lanes)]
        self._open.add(done)
        done.add_done_callback(self._open.discard)
        chunk: _Chunk[T, F] = _Chunk(items, sum(map(self.size_of, items)), done)
        self._chunks.append(chunk)
        self._waiting += len(items)
        self._waiting_bytes += chunk.size
        self._changed.set()
        return done

    async def submit(self, items: Sequence[T]) -> Fates[F]:
        """Return the fates of `items` once they are committed, or refused one by one.

        Raises what `put` raises.
        """
        # A caller that goes away must not cancel what others share a transaction with.
        return await asyncio.shield(self.put(items))

    async def drain(self) -> None:
        """Return when everything that was submitted before this call is committed or refused."""
        if self._open:
            await asyncio.wait(set(self._open))

    async def aclose(self, timeout_s: float = 10.0) -> None:
        """Refuse new items, commit what waits, and stop; what `timeout_s` cannot save fails."""
        self._closed = True
        try:
            async with asyncio.timeout(timeout_s):
                await self.drain()
        except TimeoutError:
            pass
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for chunk in self._chunks:
            if not chunk.done.done():
                chunk.done.set_exception(Unavailable(f"{self.what} stopped before this was stored"))
        self._chunks.clear()

    async def _lane(self) -> None:
        while True:
            while not self._chunks:
                self._changed.clear()
                await self._changed.wait()
            if self._in_flight and self._waiting < self.max_batch:
                await self._gather_more()
            chunks = self._take()
            if not chunks:
                continue
            items = [item for chunk in chunks for item in chunk.items]
            try:
                fates = await self._commit_surely(items)
            except asyncio.CancelledError:
                self._chunks.extendleft(reversed(chunks))
                raise
            finally:
                self._in_flight -= len(items)
                self._changed.set()
            self.committed += len(items)
            self.batches += 1
            _tell(chunks, fates)

    async def _gather_more(self) -> None:
        try:
            async with asyncio.timeout(self.max_wait_s):
                while self._in_flight and self._waiting < self.max_batch:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _take(self) -> "list[_Chunk[T, F]]":
        chunks: list[_Chunk[T, F]] = []
        size = 0
        while self._chunks and size < self.max_batch:
            chunk = self._chunks.popleft()
            chunks.append(chunk)
            size += len(chunk.items)
            self._waiting_bytes -= chunk.size
        self._waiting -= size
        self._in_flight += size
        return chunks

    async def _commit_surely(self, items: Sequence[T]) -> Fates[F]:
        deadline = asyncio.get_running_loop().time() + self.retry_for_s
        backoff = _FIRST_BACKOFF_S
        while True:
            try:
                return await self.commit(items)
            except Exception as error:
                if not is_transient(error):
                    return await self._bisect(items, error)
                if asyncio.get_running_loop().time() + backoff > deadline:
                    lost = Unavailable(f"PostgreSQL did not answer for {self.retry_for_s:.0f} s")
                    return dict.fromkeys(range(len(items)), lost)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LAST_BACKOFF_S)

    async def _bisect(self, items: Sequence[T], error: Exception) -> Fates[F]:
        if len(items) == 1:
            return {0: InvalidInput(f"the database refused this item: {error}")}
        middle = len(items) // 2
        fates = dict(await self._commit_surely(items[:middle]))
        for index, fate in (await self._commit_surely(items[middle:])).items():
            fates[middle + index] = fate
        return fates


def _tell(chunks: "list[_Chunk[T, F]]", fates: Fates[F]) -> None:
    start = 0
    for chunk in chunks:
        end = start + len(chunk.items)
        if not chunk.done.done():
            own = {i - start: fate for i, fate in fates.items() if start <= i < end}
            chunk.done.set_result(own)
        start = end
