"""The entries of one board or scratchpad: a pure state machine; the caller passes the time in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

import orjson

from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.spent_keys import SpentKeys, version_under, with_key
from pinak_ray.records.answer_size import fitting
from pinak_ray.records.errors import InvalidInput, NotFound, VersionConflict
from pinak_ray.records.memory.memories import expiry
from pinak_ray.records.operations import Post, Watch, WatchPage
from pinak_ray.records.state.owners import LOG_KINDS, Entry, EntryKind
from pinak_ray.records.write_keys import WriteKey

__all__ = ["MAX_BYTES", "MAX_ENTRIES", "EntryLog"]

# A board is one task's shared space; past this it wants a second board, not a bigger host.
MAX_ENTRIES = 10_000

MAX_BYTES = 64 * 1024 * 1024
"""Of all entries; a budgeted host holds sixteen such boards. What is there may grow by a quarter
more, so that it can still be answered, resolved and finished."""

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
    _keyed: dict[tuple[EntryKind, str], UUID] = field(default_factory=dict)
    _of_kind: dict[EntryKind, dict[UUID, None]] = field(default_factory=dict)
    _made_by: dict[UUID, UUID] = field(default_factory=dict)
    """The entry that an operation made or changed last, by the operation's id."""
    _spent: SpentKeys[UUID] = field(default_factory=SpentKeys)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "EntryLog":
        """Return a log that holds these entries."""
        log, held = cls(), list(entries)
        for entry in sorted(held, key=lambda entry: (entry.created_at, entry.id)):
            log._of_kind.setdefault(entry.kind, {})[entry.id] = None
        for entry in sorted(held, key=lambda entry: entry.seq):
            log._put(entry)
        return log

    def snapshot(self) -> "EntryLog":
        """Return a copy for another thread to read, which what is written later leaves as it is."""
        of_kind = {kind: dict(ids) for kind, ids in self._of_kind.items()}
        return EntryLog(self.entries.copy(), self.seq, _keyed=self._keyed.copy(), _of_kind=of_kind)

    def post(self, post: Post, *, now: datetime) -> tuple[Entry, bool]:
        """Add an entry, or replace the public entry of the same key.

        Returns it, and whether it is new: the same id again is the same entry. Raises
        VersionConflict, and InvalidInput for a kind that does not belong here or a full log.
        """
        if post.kind not in LOG_KINDS[post.owner.space]:
            names = ", ".join(LOG_KINDS[post.owner.space])
            raise InvalidInput(f"a {post.kind} does not belong here; choose one of: {names}")
        held = self._held(post)
        lives = held is not None and _alive(held, now)
        # A call that comes again brings back nothing that has ended; a caller's key may.
        if (
            held is not None
            and post.id in (held.id, held.operation_id)
            and (lives or post.write_key is None)
        ):
            return held, False
        self._check_version(post, held, now)
        version = 1 if held is None else held.version + 1
        entry = Entry(
            post.id if held is None else held.id,
            self.seq + 1,
            post.kind,
            post.author,
            post.key,
            post.content,
            post.encoded_details,
            version,
            now,
            expiry(now, post.ttl_s),
            post.id,
            _keys(held if lives else None, post.write_key, version),
        )
        self._make_room(int(held is None), _size(entry) - (0 if held is None else _size(held)), now)
        self._put(entry)
        return entry, True

    def spent(self, key: WriteKey, now: datetime) -> tuple[Entry, int] | None:
        """Return the living entry that was written under a caller's key, and as which version.

        Raises IdempotencyMismatch if something else was written under it.
        """
        id_ = self._spent.of(key)
        entry = None if id_ is None else self.entries.get(id_)
        if entry is None or not _alive(entry, now):
            return None
        return entry, version_under(entry.spent_keys, key)

    def read(
        self, after_seq: int, kinds: Sequence[EntryKind], limit: int, *, now: datetime
    ) -> tuple[Entry, ...]:
        """Return the live entries past `after_seq` of these kinds (none: all), oldest first.

        At most `limit` of them (0: all), and no more than one answer holds.
        """
        found: list[Entry] = []
        for entry in reversed(self.entries.values()):
            if entry.seq <= after_seq:
                break
            if (not kinds or entry.kind in kinds) and _alive(entry, now):
                found.append(entry)
        return _page(found, limit) if limit else tuple(reversed(found))

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
        page = _page(found, watch.limit)
        return WatchPage(page, page[-1].seq if len(page) < len(found) else committed_seq)

    def replaced_seq(self, post: Post) -> int:
        """Return the `seq` of the entry that this post would replace, 0 for none."""
        held = self._held(post)
        return 0 if held is None else held.seq

    def _held(self, post: Post) -> Entry | None:
        """Return the entry that this id made, whatever the post says now, or that holds its key."""
        made = self.entries.get(post.id)
        if post.key is None or (made is not None and made.key == post.key):
            return made
        held_id = self._keyed.get((post.kind, post.key))
        held = None if held_id is None else self.entries.get(held_id)
        # Under a caller's key an entry may have ended whose place is taken by now.
        return made if held is None or (made is not None and post.write_key is None) else held

    def of_kind(self, kind: EntryKind, *, now: datetime) -> list[Entry]:
        """Return the live entries of one kind, in the order in which they were made."""
        held = (self.entries[id_] for id_ in self._of_kind.get(kind, ()))
        return [entry for entry in held if _alive(entry, now)]

    def keyed(self, kind: EntryKind, key: str, *, now: datetime) -> Entry | None:
        """Return the live entry of this kind and key."""
        id_ = self._keyed.get((kind, key))
        entry = None if id_ is None else self.entries.get(id_)
        return entry if entry is not None and _alive(entry, now) else None

    def get(self, kind: EntryKind, id_: UUID, *, now: datetime) -> Entry:
        """Return the live entry of this kind and id; raises NotFound."""
        entry = self.entries.get(id_)
        if entry is None or entry.kind is not kind or not _alive(entry, now):
            raise NotFound(f"there is no {kind} {id_} here")
        return entry

    def made_by(self, operation_id: UUID, *, now: datetime | None = None) -> Entry | None:
        """Return what this operation made, or what it changed if nothing has changed it since.

        With `now` only what still lives.
        """
        made = self.entries.get(self._made_by.get(operation_id, operation_id))
        return made if made is None or now is None or _alive(made, now) else None

    def write(self, drafts: Sequence[Draft], call: Call) -> list[tuple[Entry, int]]:
        """Write what a command decided; return each entry with the `seq` that it replaces, or 0.

        Raises InvalidInput, and writes nothing, when the log is full.
        """
        # The first entry answers for the operation; the others are told apart by their place.
        operations = [
            uuid5(call.id, str(place)) if place else call.id for place in range(len(drafts))
        ]
        ids = [draft.id or made for draft, made in zip(drafts, operations, strict=True)]
        details = [orjson.dumps(draft.details) for draft in drafts]
        grown = sum(len(each.content) for each in drafts) + sum(map(len, details))
        grown -= sum(_said(self.entries[id_]) for id_ in ids if id_ in self.entries)
        self._make_room(sum(id_ not in self.entries for id_ in ids), grown, call.now)
        written = []
        for place, (draft, id_, operation_id) in enumerate(
            zip(drafts, ids, operations, strict=True)
        ):
            held = self.entries.get(id_)
            version = 1 if held is None else held.version + 1
            lives = held is not None and _alive(held, call.now)
            entry = Entry(
                id_,
                self.seq + 1,
                draft.kind,
                draft.author or call.author,
                draft.key,
                draft.content,
                details[place],
                version,
                call.now if held is None or draft.id is None else held.created_at,
                draft.expires_at,
                operation_id,
                _keys(held if lives else None, None if place else call.write_key, version),
            )
            self._put(entry)
            written.append((entry, 0 if held is None else held.seq))
        return written

    def _check_version(self, post: Post, held: Entry | None, now: datetime) -> None:
        if post.expected_version is None:
            return
        seen = held.version if held is not None and _alive(held, now) else 0
        if post.expected_version != seen:
            raise VersionConflict(str(post.key), post.expected_version, seen)

    def _make_room(self, new: int, grown: int, now: datetime) -> None:
        """Give up expired entries where so many new ones, or bytes, would not fit.

        Raises InvalidInput where they do not fit all the same.
        """
        limit = MAX_BYTES if new else MAX_BYTES + MAX_BYTES // 4
        fits = grown <= 0 or self.size_bytes + grown <= limit
        if fits and len(self.entries) + new <= MAX_ENTRIES:
            return
        for entry in [entry for entry in self.entries.values() if not _alive(entry, now)]:
            self._drop(entry)
        if len(self.entries) + new > MAX_ENTRIES:
            raise InvalidInput(f"this holds {MAX_ENTRIES} entries, its limit; start another board")
        if grown > 0 and self.size_bytes + grown > limit:
            raise InvalidInput(f"this holds {limit >> 20} MiB, its limit; start another board")

    def _drop(self, entry: Entry) -> None:
        del self.entries[entry.id], self._of_kind[entry.kind][entry.id]
        self._spent.replace(entry.id, entry.spent_keys, None)
        self._made_by.pop(entry.operation_id, None)
        self._let_go_of_key(entry)
        self.size_bytes -= _size(entry)

    def _let_go_of_key(self, entry: Entry) -> None:
        if entry.key is not None and self._keyed.get((entry.kind, entry.key)) == entry.id:
            del self._keyed[entry.kind, entry.key]

    def _put(self, entry: Entry) -> None:
        # Re-inserted at the end: the order is that of the last change.
        replaced = self.entries.pop(entry.id, None)
        self.entries[entry.id] = entry
        self.size_bytes += _size(entry) - (_size(replaced) if replaced is not None else 0)
        before = None
        if replaced is not None:
            self._made_by.pop(replaced.operation_id, None)
            before = replaced.spent_keys
            if replaced.key != entry.key:
                self._let_go_of_key(replaced)
        if before is not entry.spent_keys:
            self._spent.replace(entry.id, before, entry.spent_keys)
        self._made_by[entry.operation_id] = entry.id
        self._of_kind.setdefault(entry.kind, {})[entry.id] = None
        if entry.key is not None:
            self._keyed[entry.kind, entry.key] = entry.id
        self.seq = max(self.seq, entry.seq)


def _keys(replaced: Entry | None, key: WriteKey | None, version: int) -> bytes | None:
    """Return the keys of the living entry that is replaced, with the one of this version."""
    before = None if replaced is None else replaced.spent_keys
    return before if key is None else with_key(before, key, version)


def _page(newest_first: Sequence[Entry], limit: int) -> tuple[Entry, ...]:
    """Return the oldest entries, in their order: `limit` at most, and what one answer holds."""
    oldest = newest_first[: -limit - 1 : -1]
    sizes = (len(entry.content.encode()) + len(entry.encoded_details) for entry in oldest)
    return tuple(oldest[: fitting(sizes)])


def _alive(entry: Entry, now: datetime) -> bool:
    return entry.expires_at is None or entry.expires_at > now


def _size(entry: Entry) -> int:
    return _ENTRY_BYTES + _said(entry)


def _said(entry: Entry) -> int:
    return len(entry.content) + len(entry.encoded_details)
