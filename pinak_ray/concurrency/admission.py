"""Who may search now: some at once, some in line, the others hear Overloaded."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pinak_ray.records.errors import Overloaded

__all__ = ["Admission"]


@dataclass(slots=True)
class Admission:
    """Turns for so many at once; who waits is bounded in number and in time.

    The pool below it waits 30 s (`store.database._ACQUIRE_TIMEOUT_S`) for a connection and lets any
    number wait: without this, a burst of searches would answer nobody in time. Each namespace has a
    line of its own and they are served in rotation, so that a newcomer is next whatever another one
    has waiting. In a full house the newest of the longest line makes room for a shorter one.
    """

    what: str
    at_once: int
    in_line: int = 256
    patience_s: float = 5.0
    waiting: int = 0
    """How many are in line now."""
    _held: int = 0
    _lines: "dict[Hashable, deque[asyncio.Future[bool]]]" = field(default_factory=dict)
    """By namespace, in the order in which they are served; none is empty."""

    @asynccontextmanager
    async def turn(self, whose: Hashable) -> AsyncIterator[None]:
        """Wait for a turn and hold it; raises Overloaded when the line is full, or too slow."""
        if self._held < self.at_once and not self._lines:
            self._held += 1
        else:
            await self._wait(whose)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, whose: Hashable) -> None:
        if self.waiting >= self.in_line:
            self._make_room(whose)
        place = asyncio.get_running_loop().create_future()
        self._lines.setdefault(whose, deque()).append(place)
        self.waiting += 1
        try:
            async with asyncio.timeout(self.patience_s):
                served = await asyncio.shield(place)
        except TimeoutError:
            self._leave(whose, place)
            raise Overloaded(f"{self.what} had no turn in {self.patience_s:g} s", 1.0) from None
        except BaseException:
            self._leave(whose, place)
            raise
        if not served:
            raise self._full()

    def _make_room(self, whose: Hashable) -> None:
        """Send away the newest of the longest line; raises Overloaded if that is the caller's."""
        longest = max(self._lines, key=lambda each: len(self._lines[each]), default=whose)
        if len(self._lines.get(longest, ())) <= len(self._lines.get(whose, ())) + 1:
            raise self._full()
        self._lines[longest].pop().set_result(False)
        self.waiting -= 1

    def _pass_on(self) -> None:
        """Give a turn to the first of the next line, and put that line behind the others."""
        if not self._lines:
            self._held -= 1
            return
        whose = next(iter(self._lines))
        line = self._lines.pop(whose)
        line.popleft().set_result(True)
        self.waiting -= 1
        if line:
            self._lines[whose] = line

    def _leave(self, whose: Hashable, place: "asyncio.Future[bool]") -> None:
        """Stop waiting, or pass on the turn that came at the same moment."""
        if not place.done():
            line = self._lines[whose]
            line.remove(place)
            self.waiting -= 1
            if not line:
                del self._lines[whose]
        elif place.result():
            self._pass_on()

    def _full(self) -> Overloaded:
        return Overloaded(f"{self.waiting} callers wait for {self.what}, its limit", 1.0)
