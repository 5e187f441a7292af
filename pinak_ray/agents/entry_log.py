"""The entries of one board or scratchpad: a pure state machine; the caller passes the time in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pinak_ray.records.errors import InvalidInput, VersionConflict
from pinak_ray.records.memories import expiry
from pinak_ray.records.operations import Post, Watch, WatchPage
from pinak_ray.records.state import LOG_KINDS, Entry, EntryKind

__all__ = ["MAX_ENTRIES", "EntryLog"]

# A board is one task's shared space; past this it wants a second board, not a bigger host.
MAX_ENTRIES = 10_000

# Measured with tracemalloc: the tuple, its ids and times, and its place in the dictionary.
_ENTRY_BYTES = 750


@dataclass(slots=True)
class EntryLog:
    """Entries in the order of their last change."""

    entries: dict[UUID, Entry] = field(default_factory=dict)
    """By id, in rising `seq`."""
    seq: int = 0
    size_bytes: int = 0
    """About how much memory the entries take."""
    _public: dict[str, UUID] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "EntryLog":
        """Return a log that holds these entries."""
        log = cls()
        for entry in sorted(entries, key=lambda entry: entry.seq):
            log._put(entry)
        return log

    def post(self, post: Post, *, now: datetime) -> tuple[Entry, bool]:
        """Add an entry, or replace the public entry of the same key.

        Returns it, and whether it is new: the same id again is the same entry. Raises
        VersionConflict, and InvalidInput for a kind that does not belong here or a full log.
        """
        if post.kind not in LOG_KINDS[post.owner.space]:
            names = ", ".join(LOG_KINDS[post.owner.space])
            raise InvalidInput(f"a {post.kind} does not belong here; choose one of: {names}")
        held = self._held(post)
        if held is not None and post.id in (held.id, held.operation_id):
            return held, False
        self._check_version(post, held, now)
        if held is None and len(self.entries) >= MAX_ENTRIES:
            raise InvalidInput(f"this holds {MAX_ENTRIES} entries, its limit; start another board")
        entry = Entry(
            post.id if held is None else held.id,
            self.seq + 1,
            post.kind,
            post.author,
            post.key,
            post.content,
            post.encoded_details,
            1 if held is None else held.version + 1,
            now,
            expiry(now, post.ttl_s),
            post.id,
        )
        self._put(entry)
        return entry, True

    def read(
        self, after_seq: int, kinds: Sequence[EntryKind], limit: int, *, now: datetime
    ) -> tuple[Entry, ...]:
        """Return the live entries past `after_seq` of these kinds (none: all), oldest first."""
        found: list[Entry] = []
        for entry in reversed(self.entries.values()):
            if entry.seq <= after_seq:
                break
            if (not kinds or entry.kind in kinds) and _alive(entry, now):
                found.append(entry)
        return tuple(reversed(found[-limit:] if limit else found))

    def watch(
        self, watch: Watch, after_seq: int, committed_seq: int, *, now: datetime
    ) -> WatchPage:
        """Return the live entries that a watcher at `after_seq` wants, up to `committed_seq`."""
        found: list[Entry] = []
        for entry in reversed(self.entries.values()):
            if entry.seq <= after_seq:
                break
            if entry.seq <= committed_seq and watch.wants(entry) and _alive(entry, now):
                found.append(entry)
        page = tuple(reversed(found[-watch.limit :]))
        return WatchPage(page, page[-1].seq if len(page) < len(found) else committed_seq)

    def replaced_seq(self, post: Post) -> int:
        """Return the `seq` of the entry that this post would replace, 0 for none."""
        held = self._held(post)
        return 0 if held is None else held.seq

    def _held(self, post: Post) -> Entry | None:
        """Return the entry that this id made, whatever the post says now, or that holds its key."""
        if post.id in self.entries or post.key is None:
            return self.entries.get(post.id)
        held_id = self._public.get(post.key)
        return None if held_id is None else self.entries.get(held_id)

    def _check_version(self, post: Post, held: Entry | None, now: datetime) -> None:
        if post.expected_version is None:
            return
        seen = held.version if held is not None and _alive(held, now) else 0
        if post.expected_version != seen:
            raise VersionConflict(str(post.key), post.expected_version, seen)

    def _put(self, entry: Entry) -> None:
        # Re-inserted at the end: the order is that of the last change.
        replaced = self.entries.pop(entry.id, None)
        self.entries[entry.id] = entry
        self.size_bytes += _size(entry) - (_size(replaced) if replaced is not None else 0)
        if entry.key is not None:
            self._public[entry.key] = entry.id
        self.seq = max(self.seq, entry.seq)


def _alive(entry: Entry, now: datetime) -> bool:
    return entry.expires_at is None or entry.expires_at > now


def _size(entry: Entry) -> int:
    return _ENTRY_BYTES + len(entry.content) + len(entry.encoded_details)
