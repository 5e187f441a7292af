"""What a command is decided from, and the entries that it wants written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pinak_ray.records.state.owners import EntryKind
from pinak_ray.records.write_keys import WriteKey

__all__ = ["Call", "Draft"]


class Call(NamedTuple):
    """Who commands what when; `id` is that of the operation, and of the first new entry."""

    id: UUID
    author: str
    now: datetime
    write_key: WriteKey | None = None


class Draft(NamedTuple):
    """An entry as it shall be. With the `id` of one that is there it takes its place.

    A new entry has the `id` of the operation unless it says another. Details are JSON.
    """

    kind: EntryKind
    content: str
    details: Mapping[str, Any]
    id: UUID | None = None
    key: str | None = None
    expires_at: datetime | None = None
    author: str | None = None
    """Whose entry it is; whoever commands it, if absent."""
