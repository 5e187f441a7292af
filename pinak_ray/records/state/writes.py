"""Writes of items and entries, with their id and the caller's key: alike on every wire.

Whoever calls these has checked all that is in them, but for the key.
"""

from typing import Any
from uuid import UUID

import orjson

from pinak_ray.records.commands import Command
from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import Execute, Note, Post
from pinak_ray.records.state.owners import EntryKind, Owner

__all__ = ["new_execute", "new_note", "new_post"]


def new_note(
    owner: Owner,
    key: str,
    encoded: bytes,
    *,
    ttl_s: float | None,
    expected_version: int | None,
    ack: Ack,
    idempotency_key: str | None = None,
    made: UUID | None = None,
) -> Note:
    """Return the write of one working item; raises InvalidInput for a key that is none."""
    if idempotency_key is None and made is None:  # by far the most
        return Note(owner, key, encoded, uuid7(), ttl_s, expected_version, ack)
    id_, write_key = owner.identity(
        owner.name,
        "note",
        idempotency_key,
        made,
        lambda: (key, orjson.loads(encoded), _seconds(ttl_s), expected_version),
    )
    return Note(owner, key, encoded, id_, ttl_s, expected_version, ack, write_key)


def new_post(
    owner: Owner,
    author: str,
    kind: EntryKind,
    content: str,
    encoded_details: bytes,
    *,
    ack: Ack,
    key: str | None = None,
    ttl_s: float | None = None,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
    made: UUID | None = None,
) -> Post:
    """Return the post of one entry; raises InvalidInput for a key that is none."""
    id_, write_key = owner.identity(
        author,
        kind,
        idempotency_key,
        made,
        lambda: (content, orjson.loads(encoded_details), key, _seconds(ttl_s), expected_version),
    )
    return Post(
        owner, id_, kind, author, content, encoded_details, key, ttl_s, expected_version, ack,
        write_key,
    )  # fmt: skip


def new_execute(
    owner: Owner,
    author: str,
    command: Command,
    *,
    ack: Ack,
    idempotency_key: str | None = None,
    made: UUID | None = None,
) -> Execute[Any]:
    """Return the carrying out of one command; raises InvalidInput for a key that is none."""
    id_, write_key = owner.identity(
        author, command.verb, idempotency_key, made, lambda: command.model_dump(mode="json")
    )
    return Execute(owner, id_, author, command, ack, write_key)


def _seconds(ttl_s: float | None) -> float | None:
    """Return one form of 5 and 5.0."""
    return None if ttl_s is None else float(ttl_s)
