"""What waits for a commit: a line for each namespace; lines take turns, and each has its share."""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Call", "Fates", "Lines", "Part"]

T = TypeVar("T")
F = TypeVar("F")

Fates = Mapping[int, F | Exception]
"""Sparse: the index of an item in its batch to its fate; an absent index means plain success."""

# So much of a line goes into a commit before the next line has its turn: a newcomer's memory is in
# the next commit behind a dozen bulks, and a bulk is not cut finer than that.
_LAP = 16
_LAP_BYTES = 128 << 10


@dataclass(slots=True, eq=False)
class Call(Generic[F]):
    """The items of one caller, who hears once when the fate of each is known."""

    count: int
    whose: Collection[Hashable]
    """The namespaces that its items are of."""
    done: "asyncio.Future[Fates[F]]"
    gives_up_at: float
    """In the loop's time; never, for what was accepted."""
    fates: dict[int, F | Exception] = field(default_factory=dict)
    known: list[Sequence[int]] = field(default_factory=list)
    """Of which items the fate is known."""

    def tell(self, at: Sequence[int], fates: Fates[F], start: int) -> None:
        """Note the fates of the items at these places, which stood at `start` in their commit."""
        if len(at) == self.count and not fates:  # by far the most
            if not self.done.done():
                self.done.set_result(fates)
            return
        if fates:
            for place, index in enumerate(at, start):
                if place in fates:
                    self.fates[index] = fates[place]
        self.known.append(at)
        if not self.done.done() and sum(map(len, self.known)) == self.count:
            self.done.set_result(self.fates)

    def give_up(self, why: Exception) -> None:
        """Tell the caller now, and `why` of each item whose fate is not known."""
        if not self.done.done():
            known = {index for at in self.known for index in at}
            late = {index: why for index in range(self.count) if index not in known}
            self.done.set_result({**self.fates, **late})


class Part(NamedTuple, Generic[T, F]):
    """Items of one call and one namespace that lie together in a line."""

    call: Call[F]
    items: Sequence[T]
    at: Sequence[int]
    """Where in the call each of them is."""
    size: int


@dataclass(slots=True)
class _Line(Generic[T, F]):
    parts: "deque[Part[T, F]]" = field(default_factory=deque)
    count: int = 0
    size: int = 0


@dataclass(slots=True)
class _Share:
    """How much one namespace may still have of a commit."""

    count: int
    size: float
    untouched: bool = True


@dataclass(slots=True)
class Lines(Generic[T, F]):
    """Bounded lines, one a namespace; None is nobody's line, and has no share to keep to."""

    capacity: int
    capacity_bytes: int
    size_of: Callable[[T], int]
    count: int = 0
    size: int = 0
    _lines: "dict[Hashable, _Line[T, F]]" = field(default_factory=dict)
    """In the order of their turns; none is empty."""

    def room(self, whose: Hashable) -> int:
        """How many more items of this namespace may wait.

        A line may grow until it holds as much as is free: one alone half of all, two a third each.
        So a newcomer finds room, whatever another one sends. An empty line takes what is free.
        """
        if self.size >= self.capacity_bytes:
            return 0
        free = self.capacity - self.count
        line = None if whose is None else self._lines.get(whose)
        if line is None:
            return free
        if line.size >= self.capacity_bytes - self.size:
            return 0
        return max(0, (free - line.count) // 2)

    def full(self, places: Mapping[Hashable, Sequence[int]]) -> str | None:
        """Return what is too full for these items, in words; None if all find room."""
        if sum(map(len, places.values())) > self.room(None):
            return f"{self.count} items waiting, its limit"
        for whose, at in places.items():
            if len(at) > self.room(whose):
                return f"{self._lines[whose].count} items of this namespace waiting, its share"
        return None

    def append(self, whose: Hashable, part: Part[T, F]) -> None:
        """Put items at the end of their namespace's line."""
        line = self._lines.get(whose)
        if line is None:
            line = self._lines[whose] = _Line()
        line.parts.append(part)
        self._count(line, len(part.items), part.size)

    def take(self, most: int, most_bytes: float) -> "list[Part[T, F]]":
        """Take what the next commit stores, out of all lines.

        One line alone gives whole parts until `most` items are together. Of several each gives at
        most half, in laps, of which the next commit goes on with the next line.
        """
        if len(self._lines) > 1:
            return self._take_turns(most, most_bytes)
        taken: list[Part[T, F]] = []
        if not self._lines:
            return taken
        ((whose, line),) = self._lines.items()
        if whose is None:
            most_bytes = math.inf
        while line.parts and most > 0:
            part = line.parts[0]
            count, size = self._first(part, len(part.items), most_bytes)
            if taken and size > most_bytes:
                break
            taken.append(self._cut(line, count, size))
            most, most_bytes = most - count, most_bytes - size
        if not line.parts:
            del self._lines[whose]
        return taken

    def _take_turns(self, most: int, most_bytes: float) -> "list[Part[T, F]]":
        taken: list[Part[T, F]] = []
        half = partial(_Share, max(1, most // 2), most_bytes / 2)
        shares: defaultdict[Hashable, _Share] = defaultdict(half)
        rests: dict[Hashable, _Line[T, F]] = {}
        while self._lines and most > 0:
            whose = next(iter(self._lines))
            line, share = self._lines[whose], shares[whose]
            count, size = self._first(
                line.parts[0], min(_LAP, share.count, most), min(_LAP_BYTES, share.size, most_bytes)
            )
            if taken and size > most_bytes:
                break  # it is the first of the next commit
            del self._lines[whose]
            if share.count == 0 or (size > share.size and not share.untouched):
                rests[whose] = line
                continue
            part = self._cut(line, count, size)
            taken.append(part)
            most, most_bytes = most - count, most_bytes - size
            share.count, share.size, share.untouched = share.count - count, share.size - size, False
            if line.parts:
                self._lines[whose] = line
        self._lines.update(rests)
        return taken

    def _first(self, part: Part[T, F], count: int, size: float) -> tuple[int, int]:
        """Return how many items to cut off within these limits, at least one, and their size."""
        if len(part.items) <= count and part.size <= size:
            return len(part.items), part.size
        fits, together = 1, self.size_of(part.items[0])
        while fits < min(count, len(part.items)):
            more = together + self.size_of(part.items[fits])
            if more > size:
                break
            fits, together = fits + 1, more
        return fits, together

    def _cut(self, line: "_Line[T, F]", count: int, size: int) -> Part[T, F]:
        part = line.parts.popleft()
        self._count(line, -count, -size)
        if count == len(part.items):
            return part
        call, items, at, whole = part
        line.parts.appendleft(Part(call, items[count:], at[count:], whole - size))
        return Part(call, items[:count], at[:count], size)

    def _count(self, line: "_Line[T, F]", count: int, size: int) -> None:
        line.count += count
        line.size += size
        self.count += count
        self.size += size

    def leave(self, now: float) -> None:
        """Take out the calls that have waited long enough."""
        for whose, line in list(self._lines.items()):
            late = [part for part in line.parts if part.call.gives_up_at <= now]
            if not late:
                continue
            line.parts = deque(part for part in line.parts if part.call.gives_up_at > now)
            self._count(
                line, -sum(len(part.items) for part in late), -sum(part.size for part in late)
            )
            if not line.parts:
                del self._lines[whose]
