"""Watching a board or an agent: an iterator that pulls pages and remembers how far it came."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, cast, overload

from msgspec.structs import replace

from pinak_ray.client.transport import Transport
from pinak_ray.client.verbs import METHODS_DOC, Bound, Declared
from pinak_ray.records.operations import Watch, WatchPage
from pinak_ray.records.state.owners import Entry

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


def _watcher(operation: Any) -> Any:
    return Watcher


class WatchVerb(Bound[P, WatchPage]):
    """`handle.watch(...)` is an iterator, `handle.watch.remote(...)` one long poll."""

    __slots__ = ()
    __doc__ = METHODS_DOC
    _build: Callable[..., Watch]
    _returns = staticmethod(_watcher)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Watcher:
        """Watch with `async for`; nothing is sent before the first entry is asked for."""
        return Watcher(self._holder.transport, self._build(self._holder, *args, **kwargs))


class watching(Declared[P, WatchPage]):  # noqa: N801 - used as a decorator
    """Turn a method that builds a Watch into the verb `watch`."""

    __slots__ = ()
    __doc__ = METHODS_DOC
    _returns = staticmethod(_watcher)

    def __init__(self, build: Callable[Concatenate[Any, P], Watch]) -> None:
        super().__init__(build)

    @overload
    def __get__(self, holder: None, owner: type) -> "watching[P]": ...
    @overload
    def __get__(self, holder: Any, owner: type) -> WatchVerb[P]: ...
    def __get__(self, holder: Any, owner: type) -> "WatchVerb[P] | watching[P]":
        return self if holder is None else WatchVerb(holder, self._build)

    def __call__(self, holder: Any, *args: P.args, **kwargs: P.kwargs) -> Watcher:
        """Call it as a function of the class."""
        return WatchVerb(holder, self._build)(*args, **kwargs)
