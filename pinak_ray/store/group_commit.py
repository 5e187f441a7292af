"""Group commit: many callers, few transactions, each caller learns its own items' fate."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from pinak_ray.records.errors import DatabaseUnavailable, InvalidInput, Overloaded, Unavailable
from pinak_ray.store.faults import is_transient, translated

__all__ = ["Commit", "Fates", "GroupCommit", "delays"]

T = TypeVar("T")
F = TypeVar("F")

Fates = Mapping[int, F | Exception]
"""Sparse: the index of an item in its batch to its fate; an absent index means plain success."""

Commit = Callable[[Sequence[T]], Awaitable[Fates[F]]]

# 10 ms doubling to 1 s: a restarting PostgreSQL answers after 1 to 15 s.
_FIRST_BACKOFF_S = 0.01
_LAST_BACKOFF_S = 1.0
# Of an outage the log hears so often.
_SAY_EVERY_S = 10.0


@dataclass(slots=True, eq=False)
class _Chunk(Generic[T, F]):
    items: Sequence[T]
    size: int
    done: "asyncio.Future[Fates[F]]"
    gives_up_at: float
    """In the loop's time; never, for what was accepted."""


@dataclass(slots=True)
class GroupCommit(Generic[T, F]):
    """A bounded queue in front of `commit`, which stores a batch in one transaction.

    A free lane commits at once what is there; while another lane is busy it first waits for
    `max_batch` items or `max_wait_s`, whichever comes first, so that a lone write is never delayed
    and a crowd shares its transactions. `commit` must be idempotent: while the database cannot, the
    same batch is tried again, and its callers hear after `retry_for_s` why. What was put to be kept
    is tried for as long as this process lives. A batch that the database refuses for an item's sake
    is bisected until the bad item fails alone. One lane keeps the order of submission.
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
    # Under the 30 s that a gateway has: its caller hears the cause, and not only that time is up.
    retry_for_s: float = 25.0
    delayed: str | None = None
    """Why nothing is stored at present, in words; None while all is well."""
    committed: int = 0
    batches: int = 0
    _chunks: "deque[_Chunk[T, F]]" = field(default_factory=deque)
    _open: "set[asyncio.Future[Fates[F]]]" = field(default_factory=set)
    _waiting: int = 0
    _waiting_bytes: int = 0
    _in_flight: int = 0
    _closed: bool = False
    _said_at: float = -math.inf
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

    def put(self, items: Sequence[T], *, keep: bool = False) -> "asyncio.Future[Fates[F]]":
        """Queue items now, and return the future of their fates.

        With `keep` they were acknowledged already: they are never given up, and taken also beyond
        the limits (whoever acknowledges asks for `room` before). Raises Overloaded, storing
        nothing, when the queue is full, and Unavailable after `aclose`.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Fates[F]] = loop.create_future()
        if not items:
            done.set_result({})
            return done
        if self._closed:
            raise Unavailable(f"{self.what} is shutting down")
        if not keep and len(items) > self.room:
            raise Overloaded(f"{self.what} has {self._waiting} items waiting, its limit", 0.5)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._lane()) for _ in range(self.lanes)]
        self._open.add(done)
        done.add_done_callback(self._open.discard)
        gives_up_at = math.inf if keep else loop.time() + self.retry_for_s
        chunk: _Chunk[T, F] = _Chunk(items, sum(map(self.size_of, items)), done, gives_up_at)
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
                fates = await self._commit_surely(items, chunks)
            except asyncio.CancelledError:
                self._chunks.extendleft(reversed(chunks))
                raise
            finally:
                self._in_flight -= len(items)
                self._changed.set()
            if fates is not None:
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

    async def _commit_surely(
        self, items: Sequence[T], chunks: "Sequence[_Chunk[T, F]]"
    ) -> Fates[F] | None:
        """Return the fates of items of these chunks; None once nobody waits for any chunk."""
        backoff = _FIRST_BACKOFF_S
        while True:
            try:
                fates = await self.commit(items)
            except Exception as error:
                if not is_transient(error):
                    return await self._bisect(items, chunks, error)
                self._give_up(chunks, error)
                if all(chunk.done.done() for chunk in chunks):
                    return None
            else:
                self.delayed = None
                return fates
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LAST_BACKOFF_S)

    async def _bisect(
        self, items: Sequence[T], chunks: "Sequence[_Chunk[T, F]]", error: Exception
    ) -> Fates[F] | None:
        if len(items) == 1:
            return {0: InvalidInput(str(translated(error)))}
        middle = len(items) // 2
        first = await self._commit_surely(items[:middle], chunks)
        second = None if first is None else await self._commit_surely(items[middle:], chunks)
        if first is None or second is None:
            return None
        return {**first, **{middle + index: fate for index, fate in second.items()}}

    def _give_up(self, chunks: "Sequence[_Chunk[T, F]]", error: Exception) -> None:
        """Tell whoever has waited long enough why, here and among what waits behind."""
        now = asyncio.get_running_loop().time()
        self.delayed = str(translated(error))
        if now - self._said_at >= _SAY_EVERY_S:
            self._said_at = now
            structlog.get_logger().warning(
                "commits_delayed", queue=self.what, waiting=self.depth, error=repr(error)
            )
        why = DatabaseUnavailable(f"{self.delayed}; tried for {self.retry_for_s:.0f} s")
        for chunk in (*chunks, *self._chunks):
            if chunk.gives_up_at <= now and not chunk.done.done():
                chunk.done.set_result(dict.fromkeys(range(len(chunk.items)), why))
        late = [chunk for chunk in self._chunks if chunk.gives_up_at <= now]
        if late:
            self._chunks = deque(chunk for chunk in self._chunks if chunk.gives_up_at > now)
            self._waiting -= sum(len(chunk.items) for chunk in late)
            self._waiting_bytes -= sum(chunk.size for chunk in late)


def _tell(chunks: "list[_Chunk[T, F]]", fates: Fates[F]) -> None:
    start = 0
    for chunk in chunks:
        end = start + len(chunk.items)
        if not chunk.done.done():
            own = {i - start: fate for i, fate in fates.items() if start <= i < end}
            chunk.done.set_result(own)
        start = end


def delays(*queues: GroupCommit[Any, Any]) -> dict[str, str]:
    """Return `{"delayed": why}` while nothing of a queue can be stored, for a part's `ping`."""
    why = next((queue.delayed for queue in queues if queue.delayed), None)
    return {} if why is None else {"delayed": why}
