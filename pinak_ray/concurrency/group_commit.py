"""Group commit: many callers, few transactions, each caller learns its own items' fate."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from pinak_ray.concurrency.backoff import backoff
from pinak_ray.concurrency.commit_lines import Call, Fates, Lines, Part
from pinak_ray.records.errors import (
    DatabaseUnavailable,
    InvalidInput,
    Overloaded,
    PinakError,
    Unavailable,
)

__all__ = ["Commit", "Fates", "GroupCommit", "delays"]

T = TypeVar("T")
F = TypeVar("F")

Commit = Callable[[Sequence[T]], Awaitable[Fates[F]]]

# 10 ms doubling to 1 s: a restarting PostgreSQL answers after 1 to 15 s.
_FIRST_BACKOFF_S = 0.01
_LAST_BACKOFF_S = 1.0
# Of an outage the log hears so often.
_SAY_EVERY_S = 10.0


@dataclass(slots=True)
class GroupCommit(Generic[T, F]):
    """A bounded queue in front of `commit`, which stores a batch in one transaction.

    A free lane commits at once what is there; while another lane is busy it first waits for
    `max_batch` items or `max_wait_s`, whichever comes first, so that a lone write is never delayed
    and a crowd shares its transactions. `commit` must be idempotent: while the database cannot, the
    same batch is tried again, and its callers hear after `retry_for_s` why. What was put to be kept
    is tried for as long as this process lives. A batch that the database refuses for an item's sake
    is bisected until the bad item fails alone. One lane keeps the order of submission, which with
    `whose` is that within each namespace: their lines take turns (`commit_lines`).
    """

    commit: Commit[T, F]
    what: str
    is_transient: Callable[[BaseException], bool] = field(kw_only=True)
    """Whether the same commit may succeed later, unchanged."""
    translated: Callable[[Exception], PinakError] = field(kw_only=True)
    """What a caller is told of an error."""
    max_batch: int = 256
    max_wait_s: float = 0.004
    lanes: int = 1
    capacity: int = 16_384
    # 16,384 of the largest items would be a gigabyte.
    capacity_bytes: int = 64 << 20
    size_of: Callable[[T], int] = lambda _: 0
    """An item's size in bytes, as far as it matters."""
    whose: Callable[[Sequence[T]], Sequence[Hashable]] | None = None
    """The namespaces of items; without it all stand in one line, whose parts stay whole."""
    # A newcomer waits for the commit under way, and 256 of the largest items would be 16 MiB.
    max_batch_bytes: int = 4 << 20
    # A gateway has 30 s (`serve.context.Deadlines.write_s`): its caller is to hear the cause, and
    # not only that time is up.
    retry_for_s: float = 25.0
    delayed: str | None = None
    """Why nothing is stored at present, in words; None while all is well."""
    committed: int = 0
    batches: int = 0
    _lines: Lines[T, F] = field(init=False)
    _open: "dict[asyncio.Future[Fates[F]], Call[F]]" = field(default_factory=dict)
    _in_flight: int = 0
    _closed: bool = False
    _said_at: float = -math.inf
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Something arrived, or a lane became free."""
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = Lines(self.capacity, self.capacity_bytes, self.size_of)

    @property
    def depth(self) -> int:
        """How many items wait or are being committed."""
        return self._lines.count + self._in_flight

    @property
    def room(self) -> int:
        """How many more items may be queued now; none once `capacity_bytes` of them wait."""
        return self._lines.room(None)

    def put(
        self, items: Sequence[T], *, keep: bool = False, beyond: bool = False
    ) -> "asyncio.Future[Fates[F]]":
        """Queue items now, and return the future of their fates.

        With `keep` they are never given up; what was acknowledged before goes `beyond` the limits.
        Raises Overloaded, storing nothing, when the queue is full or a namespace's share of it is,
        and Unavailable after `aclose`.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Fates[F]] = loop.create_future()
        if not items:
            done.set_result({})
            return done
        if self._closed:
            raise Unavailable(f"{self.what} is shutting down")
        places = self._places(items)
        if not beyond and (full := self._lines.full(places)):
            raise Overloaded(f"{self.what} has {full}", 0.5)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._lane()) for _ in range(self.lanes)]
        gives_up_at = math.inf if keep else loop.time() + self.retry_for_s
        call = Call(len(items), places.keys(), done, gives_up_at)
        self._open[done] = call
        done.add_done_callback(self._open.pop)
        for whose, at in places.items():
            own = items if len(at) == len(items) else [items[index] for index in at]
            self._lines.append(whose, Part(call, own, at, sum(map(self.size_of, own))))
        self._changed.set()
        return done

    def _places(self, items: Sequence[T]) -> Mapping[Hashable, Sequence[int]]:
        """Return by namespace where its items are."""
        if self.whose is None:
            return {None: range(len(items))}
        owners = self.whose(items)
        if owners.count(owners[0]) == len(owners):  # as from every client of ours
            return {owners[0]: range(len(items))}
        places: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index, owner in enumerate(owners):
            places[owner].append(index)
        return places

    async def submit(self, items: Sequence[T]) -> Fates[F]:
        """Return the fates of `items` once they are committed, or refused one by one.

        Raises what `put` raises.
        """
        # A caller that goes away must not cancel what others share a transaction with.
        return await asyncio.shield(self.put(items))

    async def drain(self, whose: Hashable = None) -> None:
        """Return when what was submitted before (of this namespace) is committed or refused."""
        waited = [done for done, call in self._open.items() if whose is None or whose in call.whose]
        if waited:
            await asyncio.wait(waited)

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
        for done in self._open:
            if not done.done():
                done.set_exception(Unavailable(f"{self.what} stopped before this was stored"))

    async def _lane(self) -> None:
        while True:
            while not self._lines.count:
                self._changed.clear()
                await self._changed.wait()
            if self._in_flight and self._lines.count < self.max_batch:
                await self._gather_more()
            parts = self._lines.take(self.max_batch, self.max_batch_bytes)
            if not parts:
                continue
            items = _together(parts)
            self._in_flight += len(items)
            try:
                fates = await self._commit_surely(items, parts)
            finally:
                self._in_flight -= len(items)
                self._changed.set()
            if fates is not None:
                self.committed += len(items)
                self.batches += 1
                _tell(parts, fates)

    async def _gather_more(self) -> None:
        try:
            async with asyncio.timeout(self.max_wait_s):
                while self._in_flight and self._lines.count < self.max_batch:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    async def _commit_surely(
        self, items: Sequence[T], parts: Sequence[Part[T, F]]
    ) -> Fates[F] | None:
        """Return the fates of items of these parts; None once nobody waits for any of them."""
        pauses = backoff(_FIRST_BACKOFF_S, _LAST_BACKOFF_S)
        while True:
            try:
                fates = await self.commit(items)
            except Exception as error:
                if not self.is_transient(error):
                    return await self._bisect(items, parts, error)
                self._give_up(error)
                if all(part.call.done.done() for part in parts):
                    return None
            else:
                self.delayed = None
                return fates
            await asyncio.sleep(next(pauses))

    async def _bisect(
        self, items: Sequence[T], parts: Sequence[Part[T, F]], error: Exception
    ) -> Fates[F] | None:
        if len(items) == 1:
            return {0: InvalidInput(str(self.translated(error)))}
        middle = len(items) // 2
        first = await self._commit_surely(items[:middle], parts)
        second = None if first is None else await self._commit_surely(items[middle:], parts)
        if first is None or second is None:
            return None
        return {**first, **{middle + index: fate for index, fate in second.items()}}

    def _give_up(self, error: Exception) -> None:
        """Tell whoever has waited long enough why, here and among what waits behind."""
        now = asyncio.get_running_loop().time()
        self.delayed = str(self.translated(error))
        if now - self._said_at >= _SAY_EVERY_S:
            self._said_at = now
            structlog.get_logger().warning(
                "commits_delayed", queue=self.what, waiting=self.depth, error=repr(error)
            )
        why = DatabaseUnavailable(f"{self.delayed}; tried for {self.retry_for_s:.0f} s")
        for call in self._open.values():
            if call.gives_up_at <= now:
                call.give_up(why)
        self._lines.leave(now)


def _together(parts: Sequence[Part[T, F]]) -> Sequence[T]:
    if len(parts) == 1:
        return parts[0].items
    return [item for part in parts for item in part.items]


def _tell(parts: Sequence[Part[T, F]], fates: Fates[F]) -> None:
    start = 0
    for part in parts:
        part.call.tell(part.at, fates, start)
        start += len(part.items)


def delays(*queues: GroupCommit[Any, Any]) -> dict[str, str]:
    """Return `{"delayed": why}` while nothing of a queue can be stored, for a part's `ping`."""
    why = next((queue.delayed for queue in queues if queue.delayed), None)
    return {} if why is None else {"delayed": why}
