"""An agent's short-term items: a pure state machine; the caller passes the time in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.log.spent_keys import SpentKeys, version_under, with_key
from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.errors import InvalidInput, VersionConflict
from pinak_ray.records.memory.memories import expiry
from pinak_ray.records.state.owners import WorkingItem
from pinak_ray.records.write_keys import WriteKey

__all__ = ["MAX_BYTES", "MAX_ITEMS", "WorkingMemory"]

# Working memory is what fits in a prompt; a thousand items is far past that, and bounds a host.
MAX_ITEMS = 1024

# So that all of it is one answer, which is far past a prompt too.
MAX_BYTES = MAX_ANSWER_BYTES

# Measured with tracemalloc: the tuple, its id and times, and its place in the dictionary.
_ITEM_BYTES = 450


@dataclass(slots=True)
class WorkingMemory:
    """Items by key. Expired items are not seen, and give up their place to new ones."""

    items: dict[str, WorkingItem] = field(default_factory=dict)
    size_bytes: int = 0
    """About how much memory the items take."""
    _spent: SpentKeys[str] = field(default_factory=SpentKeys)

    @classmethod
    def of(cls, items: Iterable[WorkingItem]) -> "WorkingMemory":
        """Return a working memory that holds these items."""
        held = {item.key: item for item in items}
        memory = cls(held, sum(map(_size, held.values())))
        for item in held.values():
            if item.spent_keys is not None:
                memory._spent.replace(item.key, None, item.spent_keys)
        return memory

    def spent(self, key: WriteKey, now: datetime) -> tuple[WorkingItem, int] | None:
        """Return the living item that was written under a caller's key, and as which version.

        Raises IdempotencyMismatch if something else was written under it.
        """
        name = self._spent.of(key)
        item = None if name is None else self.items.get(name)
        if item is None or not _alive(item, now):
            return None
        return item, version_under(item.spent_keys, key)

    def note(
        self,
        key: str,
        encoded: bytes,
        operation_id: UUID,
        *,
        now: datetime,
        ttl_s: float | None = None,
        expected_version: int | None = None,
        write_key: WriteKey | None = None,
    ) -> tuple[WorkingItem, bool]:
        """Write one item; return it with its new version, and whether this call wrote it.

        Versions rise for ever, also over an expiry, so that a compare-and-set cannot mistake a new
        item for an old one. Raises VersionConflict, and InvalidInput when the memory is full.
        """
        held = self.items.get(key)
        # A call that comes again brings back nothing that has ended; a caller's key may.
        if (
            held is not None
            and held.operation_id == operation_id
            and (write_key is None or _alive(held, now))
        ):
            return held, False
        current = held.version if held is not None else 0
        if expected_version is not None:
            seen = current if held is not None and _alive(held, now) else 0
            if expected_version != seen:
                raise VersionConflict(key, expected_version, seen)
        grown = len(encoded) - (-len(key) if held is None else len(held.encoded))
        if (held is None and len(self.items) >= MAX_ITEMS) or (
            grown > 0 and self.size_bytes + grown > MAX_BYTES
        ):
            self._make_room(key, grown, now)
        expires_at = None if ttl_s is None else expiry(now, ttl_s)
        spent = None if held is None else held.spent_keys
        item = WorkingItem(key, encoded, current + 1, now, expires_at, operation_id, spent)
        if spent is not None or write_key is not None:
            item = self._with_keys(item, held, write_key, now)
        self.items[key] = item
        if held is None:
            self.size_bytes += _size(item)
        else:
            self.size_bytes += len(encoded) - len(held.encoded)
        return item, True

    def recollect(self, key: str | None, *, now: datetime) -> tuple[WorkingItem, ...]:
        """Return the item of this key, or all of them in key order; expired ones are gone."""
        if key is None:
            return tuple(self.items[k] for k in sorted(self.items) if _alive(self.items[k], now))
        item = self.items.get(key)
        return (item,) if item is not None and _alive(item, now) else ()

    def _with_keys(
        self, item: WorkingItem, held: WorkingItem | None, key: WriteKey | None, now: datetime
    ) -> WorkingItem:
        """Return the item with the keys of the one that it replaces, if that lives, and its own."""
        before = None if held is None else held.spent_keys
        after = before if held is not None and _alive(held, now) else None
        if key is not None:
            after = with_key(after, key, item.version)
        self._spent.replace(item.key, before, after)
        return item._replace(spent_keys=after)

    def _make_room(self, key: str, grown: int, now: datetime) -> None:
        """Give up expired items, but for the one that is written; raises InvalidInput.

        For our own, such as the intent, there is always room.
        """
        kept = {name: item for name, item in self.items.items() if name == key or _alive(item, now)}
        for name in self.items.keys() - kept.keys():
            self._spent.replace(name, self.items[name].spent_keys, None)
        self.items = kept
        self.size_bytes = sum(map(_size, kept.values()))
        if key.startswith("$"):
            return
        if len(kept) + (key not in kept) > MAX_ITEMS:
            most = f"{MAX_ITEMS} items"
        elif self.size_bytes + grown > MAX_BYTES:
            most = f"{MAX_BYTES >> 20} MiB"
        else:
            return
        raise InvalidInput(f"working memory holds {most}, its limit; reuse keys or set ttl_s")


def _alive(item: WorkingItem, now: datetime) -> bool:
    return item.expires_at is None or item.expires_at > now


def _size(item: WorkingItem) -> int:
    return _ITEM_BYTES + len(item.key) + len(item.encoded)
