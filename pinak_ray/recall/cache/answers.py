"""The cache of recall: answers of this generation, to equal queries and to near ones.

Answers are kept in the process, for a namespace, a model and a request whose every field is equal;
the text alone may differ, as far as it still asks the same. No method waits or reads a clock.
"""

import random
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from typing import Any, NamedTuple

from pinak_ray.recall.cache.same_question import essence
from pinak_ray.records.cursor import place_at
from pinak_ray.records.memory.recall import RecallRequest, RecallResult
from pinak_ray.store.vectors.generations import Generation

__all__ = ["CacheKey", "CachePolicy", "RecallCache"]

# Entries that were filled together do not end together, and are not searched for again at once.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What one process's cache may hold, and whom it answers."""

    enabled: bool = True
    ttl_s: float = 900.0
    """An answer is kept no longer, give or take a tenth."""
    capacity_bytes: int = 32 << 20


class CacheKey(NamedTuple):
    """What an answer belongs to."""

    namespace_id: int
    model_id: int
    request: RecallRequest

    @property
    def kin(self) -> "CacheKey":
        """What requests have in common that share an answer: all, of their text what it asks.

        Only equal ones do where the text is no question (`exact` looks for it as it is, a vector of
        the caller's own stands for it), and behind the first page, which has a ranking of its own.
        """
        request = self.request
        if request.vector is not None or request.cursor is not None or request.recipe == "exact":
            return self
        return self._replace(request=replace(request, query=essence(request.query)))


@dataclass(slots=True)
class Counts:
    """What became of the recalls that asked the cache, and of its entries."""

    equal: int = 0
    near: int = 0
    missed: int = 0
    evicted: int = 0
    """Dropped to stay within the bytes."""
    stale: int = 0
    """Dropped because something was written."""
    expired: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    request: RecallRequest
    result: RecallResult
    ends: datetime
    size: int


@dataclass(slots=True)
class _Namespace:
    generation: int
    keys: set[CacheKey] = field(default_factory=set)


class RecallCache:
    """The least recently used answers, one of each question, bounded in bytes.

    A caller names the generation that it read after it was asked: all answers of an older one are
    dropped, so that none is older than the last write before the question. `jitter` returns numbers
    from 0 to 1.
    """

    __slots__ = ("_bytes", "_entries", "_jitter", "_namespaces", "counts", "policy")

    def __init__(self, policy: CachePolicy, *, jitter: Callable[[], float] = random.random) -> None:
        self.policy = policy
        self.counts = Counts()
        self._jitter = jitter
        self._bytes = 0
        self._entries: OrderedDict[CacheKey, _Entry] = OrderedDict()
        self._namespaces: dict[int, _Namespace] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """How many bytes the entries take."""
        return self._bytes

    def get(self, key: CacheKey, now: Generation) -> RecallResult | None:
        """Return the answer to an equal request, or else to a near one; None if there is none.

        After a near one the next page, if there is one, is that of the caller's own query.
        """
        self._drop_stale(key.namespace_id, now)
        kin = key.kin
        entry = self._entries.get(kin)
        if entry is None:
            return None
        if entry.ends <= now.read_at:
            self._drop(kin)
            self.counts.expired += 1
            return None
        self._entries.move_to_end(kin)
        if entry.request == key.request:
            self.counts.equal += 1
            return entry.result
        self.counts.near += 1
        if entry.result.cursor is None:
            return entry.result
        cursor = key.request.cursor_to(place_at(entry.result.cursor).offset)
        return replace(entry.result, cursor=cursor)

    def put(
        self,
        key: CacheKey,
        result: RecallResult,
        *,
        read: Generation,
        holds_until: datetime | None,
        zone: tzinfo | None = UTC,
    ) -> None:
        """Keep an answer that was searched for after `read`; it holds until then at the latest,
        and no longer than the asker's day, in their zone.

        One that another caller knows to be stale, or that is larger than all may be, is not kept.
        """
        self._drop_stale(key.namespace_id, read)
        kin, size = key.kin, size_of((key, key, result))
        entry = _Entry(key.request, result, self._end(read.read_at, holds_until, zone), size)
        known = self._namespaces.get(key.namespace_id)
        if entry.size > self.policy.capacity_bytes or (known and known.generation > read.number):
            return
        self._drop(kin)
        self._entries[kin] = entry
        self._bytes += entry.size
        self._namespaces.setdefault(key.namespace_id, _Namespace(read.number)).keys.add(kin)
        while self._bytes > self.policy.capacity_bytes:
            self._drop(next(iter(self._entries)))
            self.counts.evicted += 1

    def _end(
        self, read_at: datetime, holds_until: datetime | None, zone: tzinfo | None
    ) -> datetime:
        share = 1 - _JITTER + 2 * _JITTER * self._jitter()
        # "Yesterday" is another day after midnight.
        tomorrow = read_at.astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, datetime.min.time(), zone)
        ends = min(read_at + timedelta(seconds=self.policy.ttl_s * share), midnight)
        return ends if holds_until is None else min(ends, holds_until)

    def _drop_stale(self, namespace_id: int, now: Generation) -> None:
        """Forget all of a namespace that is older than `now`; nobody will read it again."""
        known = self._namespaces.get(namespace_id)
        if known is None or known.generation >= now.number:
            return
        for key in list(known.keys):
            self._drop(key)
            self.counts.stale += 1

    def _drop(self, kin: CacheKey) -> None:
        entry = self._entries.pop(kin, None)
        if entry is None:
            return
        self._bytes -= entry.size
        known = self._namespaces[kin.namespace_id]
        known.keys.discard(kin)
        if not known.keys:
            del self._namespaces[kin.namespace_id]


def size_of(value: Any) -> int:
    """Return how many bytes a value and all that it holds take; what is shared counts each time."""
    if value is None or isinstance(value, Enum | bool):
        return 0
    size = sys.getsizeof(value)
    if isinstance(value, dict):
        return size + sum(size_of(key) + size_of(held) for key, held in value.items())
    if isinstance(value, tuple | list):
        return size + sum(map(size_of, value))
    if is_dataclass(value):
        return size + sum(size_of(getattr(value, each.name)) for each in fields(value))
    return size
