"""Watching a board or an agent: an iterator that pulls pages and remembers how far it came."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, cast, overload

from msgspec.structs import replace

from pinak_ray.client.transport import Transport
from pinak_ray.records.operations import Watch, WatchPage
from pinak_ray.records.state.owners import Entry

if TYPE_CHECKING:
    from ray import ObjectRef

__all__ = ["WatchVerb", "Watcher", "watching"]

P = ParamSpec("P")


class Watcher:
    """Yields entries as they are committed, each at least once, in rising `seq`; for one consumer.

    The next page is asked for once the last one is consumed, so nothing runs ahead of the consumer,
    and nothing is left behind when it dies. Raises Unavailable when the stack does not answer
    within the retry window; a new watcher `after` this one's `cursor` goes on.
    """

    __slots__ = ("_ahead", "_closed", "_given", "_poll", "_transport", "_watch", "cursor")

    def __init__(self, transport: Transport, watch: Watch) -> None:
        self._transport = transport
        self._watch = watch
        self._ahead: deque[Entry] = deque()
        self._given: Entry | None = None
        self._poll: asyncio.Task[WatchPage] | None = None
        self._closed = False
        self.cursor = watch.after_seq
        """Where to resume. An entry counts as taken when the next one is asked for."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry:
        """Return the next entry; StopAsyncIteration once the watcher is closed."""
        if self._given is not None:
            self.cursor, self._given = self._given.seq, None
        while not self._ahead:
            if self._closed:
                raise StopAsyncIteration
            page = await self._next_page()
            self._ahead.extend(page.entries)
            self._watch = replace(self._watch, after_seq=page.cursor)
            if not page.entries:
                self.cursor = page.cursor
        self._given = self._ahead.popleft()
        return self._given

    async def _next_page(self) -> WatchPage:
        self._poll = asyncio.ensure_future(cast("Any", self._transport.send(self._watch)))
        try:
            return await self._poll
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise StopAsyncIteration from None
            raise
        finally:
            self._poll = None

    async def aclose(self) -> None:
        """End the watch; a consumer that waits in it hears StopAsyncIteration."""
        self._closed = True
        self._ahead.clear()
        if self._poll is not None:
            self._poll.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Watcher of {self._watch.owner.name!r} after {self.cursor}>"


class WatchVerb(Generic[P]):
    """`handle.watch(...)` is an iterator, `handle.watch.remote(...)` one long poll."""

    __slots__ = ("_build", "_holder")

    def __init__(self, holder: Any, build: Callable[Concatenate[Any, P], Watch]) -> None:
        self._holder = holder
        self._build = build

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self._build.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Watcher:
        """Watch with `async for`; nothing is sent before the first entry is asked for."""
        return Watcher(self._holder.transport, self._build(self._holder, *args, **kwargs))

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> "ObjectRef[WatchPage]":
        """Return Ray's reference to the next page, which is empty when `wait_s` passes first."""
        watch = self._build(self._holder, *args, **kwargs)
        ref: ObjectRef[WatchPage] = self._holder.transport.submit(watch)
        return ref

    def __repr__(self) -> str:
        return f"<verb watch of {self._holder!r}>"


class watching(Generic[P]):  # noqa: N801 - used as a decorator
    """Turn a method that builds a Watch into the verb `watch`."""

    def __init__(self, build: Callable[Concatenate[Any, P], Watch]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, holder: None, owner: type) -> "watching[P]": ...
    @overload
    def __get__(self, holder: object, owner: type) -> WatchVerb[P]: ...
    def __get__(self, holder: object | None, owner: type) -> "WatchVerb[P] | watching[P]":
        return self if holder is None else WatchVerb(holder, self._build)
