"""Which write this is: by the id that the client made for it, and by the caller's idempotency key.

The two are not one. An id belongs to one call: a client that lost the answer sends it again, and
what was stored is stored, also when it was forgotten meanwhile. A key belongs to the caller, who
may give it again at any time: it names what it wrote for as long as that lives, and nothing after.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_from_key, id_like, uuid7
from pinak_ray.records.limits import check_id, check_name

__all__ = ["WRITE_ID", "WriteKey", "digest", "identity", "made_id", "write_key"]

WRITE_ID = "Pinak-Write-Id"
"""The header in which a client says which call it repeats, where the answer to it was lost."""

_SAYS_BYTES = 16
_OF_TIME = 7


class WriteKey(NamedTuple):
    """A caller's idempotency key."""

    text: str
    """What the caller gave; only the way over HTTP needs it."""
    id: UUID
    """The one id of this key for this agent and kind of write, whatever the key looks like."""
    says: bytes
    """Tells what was said under it: the same key for something else is refused."""


def write_key(namespace_id: int, scope: tuple[str, ...], text: str, said: Any) -> WriteKey:
    """Return the key that a caller gave for a write that says this; raises InvalidInput."""
    text = check_name("idempotency_key", text)
    return WriteKey(text, id_from_key(namespace_id, *scope, text), digest(said))


def identity(
    namespace_id: int,
    scope: tuple[str, ...],
    text: str | None,
    made: UUID | None,
    said: Callable[[], Any],
) -> tuple[UUID, WriteKey | None]:
    """Return the id of a change of state, and the key that the caller gave for it.

    `made` is the id that a client outside of the stack made for this call. It is taken for this
    very write and no other, so that nobody can name the write of somebody else by it.
    """
    if text is not None:
        key = write_key(namespace_id, scope, text, said())
        return key.id, key
    if made is not None:
        return id_like(made, namespace_id, *scope, digest(said()).hex()), None
    return uuid7(), None


def made_id(text: str | None) -> UUID | None:
    """Return the id that a client made for its call, a UUIDv7; raises InvalidInput."""
    if text is None:
        return None
    id_ = check_id(WRITE_ID, text)
    if id_.version != _OF_TIME:
        raise InvalidInput(f"{WRITE_ID} must be a UUIDv7, a new one for each write")
    return id_


def digest(said: Any) -> bytes:
    """Return 16 bytes that tell what was said: JSON of it, with the names in order."""
    encoded = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(encoded, digest_size=_SAYS_BYTES).digest()
