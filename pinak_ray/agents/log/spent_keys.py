"""The callers' keys that an item or entry was written under: they live in it and end with it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pinak_ray.records.errors import IdempotencyMismatch
from pinak_ray.records.ids import id_from_bytes
from pinak_ray.records.write_keys import WriteKey

__all__ = ["KEYS_KEPT", "SpentKeys", "spent_on", "version_under", "with_key"]

Name = TypeVar("Name")

KEYS_KEPT = 64
"""Of one item or entry. Each takes 40 bytes, which every write of the row carries along."""

_KEY = struct.Struct("!16s16sq")


class SpentKey(NamedTuple):
    """One key: the write's id, what it said, and the version that it made."""

    id: UUID
    says: bytes
    version: int


def spent_on(packed: bytes | None) -> Iterator[SpentKey]:
    """Yield the keys of one item or entry, the oldest first."""
    for id_, says, version in _KEY.iter_unpack(packed or b""):
        yield SpentKey(id_from_bytes(id_), says, version)


def with_key(packed: bytes | None, key: WriteKey, version: int) -> bytes:
    """Return the keys of what has these, with the one that made this version."""
    kept = (packed or b"")[-(KEYS_KEPT - 1) * _KEY.size :]
    return kept + _KEY.pack(key.id.bytes, key.says, version)


def version_under(packed: bytes | None, key: WriteKey) -> int:
    """Return the version that was written under this key, which is among them; raises
    IdempotencyMismatch if something else was said."""
    (spent,) = (spent for spent in spent_on(packed) if spent.id == key.id)
    if spent.says != key.says:
        raise IdempotencyMismatch
    return spent.version


@dataclass(slots=True)
class SpentKeys(Generic[Name]):
    """Which item or entry each key of one owner was spent on."""

    _by_id: dict[UUID, Name] = field(default_factory=dict)

    def of(self, key: WriteKey) -> Name | None:
        """Return the name of what this key was spent on."""
        return self._by_id.get(key.id)

    def replace(self, name: Name, before: bytes | None, after: bytes | None) -> None:
        """Know the keys of what lies there now instead of those of what lay there."""
        for key in spent_on(before):
            if self._by_id.get(key.id) == name:
                del self._by_id[key.id]
        for key in spent_on(after):
            self._by_id[key.id] = name
