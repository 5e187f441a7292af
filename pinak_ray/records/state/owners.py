"""What hosts hold: owners (agents, boards), working items, entries of scratchpad and board."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from pinak_ray.records.ids import id_from_bytes
from pinak_ray.records.write_keys import WriteKey, identity

__all__ = [
    "KINDS",
    "LOG_KINDS",
    "SHARDS",
    "Entry",
    "EntryKind",
    "Owner",
    "Space",
    "WorkingItem",
    "shard_of",
]

# The unit of placement and fencing. 256 keeps a shard under 400 agents at 100,000 active ones and
# divides evenly over any number of hosts that one cluster is likely to have.
SHARDS = 256


class Space(StrEnum):
    """Who owns state: one agent (private) or one board (shared by a team)."""

    AGENT = "agent"
    BOARD = "board"


class Owner(NamedTuple):
    """The address of an agent or a board; its state lives on exactly one host."""

    namespace_id: int
    space: Space
    name: str

    def identity(
        self,
        author: str,
        kind: str,
        idempotency_key: str | None,
        made: UUID | None,
        said: Callable[[], Any],
    ) -> tuple[UUID, WriteKey | None]:
        """Return the id of a write here, and its key: one of this author and kind of write."""
        scope = f"{self.space}/{self.name}", author, kind
        return identity(self.namespace_id, scope, idempotency_key, made, said)


def shard_of(owner: Owner) -> int:
    """Return the shard, 0 to SHARDS - 1, that holds this owner; the same in every process."""
    return zlib.crc32(f"{owner.namespace_id}/{owner.space}/{owner.name}".encode()) % SHARDS


class WorkingItem(NamedTuple):
    """One short-term item of an agent. `encoded` is JSON; versions start at 1 and rise by 1.

    `operation_id` is the write that made this version: the same write again changes nothing.
    """

    key: str
    encoded: bytes
    version: int
    updated_at: datetime
    expires_at: datetime | None
    operation_id: UUID
    spent_keys: bytes | None = None
    """The callers' keys that wrote this item, the newest last."""

    @property
    def value(self) -> Any:
        """The noted value, decoded."""
        return orjson.loads(self.encoded)


class EntryKind(StrEnum):
    """What an entry is: the first group belongs on boards, the second on both, the third on
    scratchpads. A `nudge` is for an agent, and only pinak-ray writes it.
    """

    FINDING = "finding"
    CONTRADICTION = "contradiction"
    PUBLIC = "public"
    NOTE = "note"
    ACTION = "action"
    CLAIM = "claim"

    QUESTION = "question"
    TASK = "task"

    OBSERVATION = "observation"
    REASONING = "reasoning"
    EXAMPLE = "example"
    TRAJECTORY = "trajectory"
    THOUGHT = "thought"
    ENTITY = "entity"

    NUDGE = "nudge"


KINDS = {
    Space.BOARD: (EntryKind.FINDING, EntryKind.PUBLIC),
    Space.AGENT: (
        EntryKind.OBSERVATION,
        EntryKind.REASONING,
        EntryKind.EXAMPLE,
        EntryKind.TRAJECTORY,
        EntryKind.QUESTION,
        EntryKind.TASK,
    ),
}
"""The kinds that callers may post."""

LOG_KINDS = {**KINDS, Space.AGENT: (*KINDS[Space.AGENT], EntryKind.NUDGE)}
"""The kinds that may be posted at all; all others are written by commands."""


class Entry(NamedTuple):
    """One entry of a board or a scratchpad.

    `seq` rises by one with each change of its owner, so readers resume from the last one seen. A
    `public` entry has a `key` and is replaced in place, with its version raised.
    """

    id: UUID
    seq: int
    kind: EntryKind
    author: str
    key: str | None
    content: str
    encoded_details: bytes
    version: int
    created_at: datetime
    expires_at: datetime | None
    operation_id: UUID
    spent_keys: bytes | None = None
    """The callers' keys that wrote or changed this entry, the newest last."""

    @property
    def details(self) -> dict[str, Any]:
        """What the author attached, decoded."""
        decoded: dict[str, Any] = orjson.loads(self.encoded_details)
        return decoded

    def plain(self) -> tuple[Any, ...]:
        """Return the fields as plain values, for the way between two processes."""
        id_, seq, kind, author, key, content, details, version, created, expires, operation, _ = (
            self
        )
        return (
            id_.bytes, seq, kind.value, author, key, content, details, version,
            created.timestamp(), expires and expires.timestamp(), operation.bytes,
        )  # fmt: skip

    @classmethod
    def of_plain(cls, plain: tuple[Any, ...]) -> "Entry":
        """Return the entry that `plain` was asked of."""
        id_, seq, kind, author, key, content, details, version, created, expires, operation = plain
        return cls(
            id_from_bytes(id_), seq, _KINDS[kind], author, key, content, details, version,
            datetime.fromtimestamp(created, UTC),
            None if expires is None else datetime.fromtimestamp(expires, UTC),
            id_from_bytes(operation),
        )  # fmt: skip


_KINDS = {kind.value: kind for kind in EntryKind}  # a third of the time of EntryKind(value)
