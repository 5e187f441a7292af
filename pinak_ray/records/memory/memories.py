"""A memory, its layers, and the receipt that a write returns."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_like, uuid7
from pinak_ray.records.limits import (
    brief,
    check_details,
    check_labels,
    check_name,
    check_number,
    check_text,
    check_ttl,
    named,
)
from pinak_ray.records.write_keys import WriteKey, write_key

__all__ = [
    "MAX_SOURCE_BYTES",
    "Ack",
    "Layer",
    "Memory",
    "Outcome",
    "Receipt",
    "ack_level",
    "content_hash",
    "new_memory",
]

# The longest URLs that browsers and servers agree on.
MAX_SOURCE_BYTES = 2_048


class Layer(StrEnum):
    """What kind of knowledge a memory is."""

    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"
    REFERENCE = "reference"


class Outcome(StrEnum):
    """How the remembered thing ended; nudges are built on failures."""

    SUCCESS = "success"
    FAILURE = "failure"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


class Ack(StrEnum):
    """How far a write must have come before its receipt is returned."""

    ACCEPTED = "accepted"
    DURABLE = "durable"
    SEARCHABLE = "searchable"


class Receipt(NamedTuple):
    """What a write returns. `new` is False when a retry met its own earlier write.

    `version` is that of the working item or public entry that was written; memories have none.
    """

    id: UUID
    ack: Ack
    new: bool = True
    version: int | None = None


class Memory(NamedTuple):
    """One long-term record. Times are aware and in UTC; `details` and `vector` are encoded.

    `details` is a JSON object as bytes. `vector` is None (the Indexer embeds the content) or the
    caller's own vector in pgvector's binary halfvec form.
    """

    id: UUID
    namespace_id: int
    agent: str
    layer: Layer
    content: str
    session: str | None
    details: bytes
    tags: tuple[str, ...]
    entities: tuple[str, ...]
    outcome: Outcome | None
    salience: float
    occurred_at: datetime
    created_at: datetime
    expires_at: datetime | None
    source: str | None
    vector: bytes | None = None
    write_key: WriteKey | None = None
    written_by: str | None = None
    """The token's subject that stored it, where that is not the agent itself."""

    @property
    def said(self) -> tuple[Any, ...]:
        """What its caller said; neither ids nor what the clock said."""
        lives = None if self.expires_at is None else self.expires_at - self.created_at
        return (
            self.layer, self.content, self.session, orjson.loads(self.details), self.tags,
            self.entities, self.outcome, self.salience,
            None if self.occurred_at == self.created_at else self.occurred_at,
            None if lives is None else lives // _MICROSECOND, self.source,
            None if self.vector is None else self.vector.hex(),
        )  # fmt: skip


_MICROSECOND = timedelta(microseconds=1)


def ack_level(value: object) -> Ack:
    """Return the ack level named by `value`, or raise InvalidInput naming the choices."""
    return named(Ack, "ack", value)


def layer_named(value: object) -> Layer:
    """Return the layer named by `value`, or raise InvalidInput naming the choices."""
    return named(Layer, "layer", value)


def outcome_named(value: object) -> Outcome:
    """Return the outcome named by `value`, or raise InvalidInput naming the choices."""
    return named(Outcome, "outcome", value)


def moment(what: str, value: object) -> datetime:
    """Return an aware datetime in UTC; a naive one is refused, it would mean another time."""
    given = parsed_moment(what, value)
    try:
        return given.astimezone(UTC)
    except (OverflowError, ValueError):  # the zone takes it over an end of the calendar
        raise _beyond(what, given) from None


def parsed_moment(what: str, value: object) -> datetime:
    """Return an aware datetime in its own zone; raises InvalidInput as `moment` does."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidInput(f"{what} {brief(value)} is not an ISO 8601 time") from None
    if not isinstance(value, datetime):
        raise InvalidInput(f"{what} must be a datetime or an ISO 8601 string")
    try:
        if value.utcoffset() is None:
            raise InvalidInput(f"{what} has no time zone; write it like 2026-01-31T12:00:00+00:00")
    except (OverflowError, ValueError):  # of a zone that is looked up
        raise _beyond(what, value) from None
    return value


def _beyond(what: str, value: datetime) -> InvalidInput:
    return InvalidInput(f"{what} {value.isoformat()} does not lie in the years 1 to 9999 of UTC")


def expiry(now: datetime, ttl_s: object) -> datetime | None:
    """Return when something that lives `ttl_s` seconds ends; None lives on."""
    checked = check_ttl(ttl_s)
    try:
        return None if checked is None else now + timedelta(seconds=checked)
    except OverflowError:
        raise InvalidInput(f"ttl_s is {ttl_s}, which ends after the year 9999") from None


def new_memory(
    namespace_id: int,
    agent: str,
    content: str,
    *,
    layer: Layer | str = Layer.SEMANTIC,
    session: str | None = None,
    details: Mapping[str, Any] | None = None,
    tags: Iterable[str] = (),
    entities: Iterable[str] = (),
    outcome: Outcome | str | None = None,
    salience: float = 0.5,
    occurred_at: datetime | str | None = None,
    ttl_s: float | None = None,
    source: str | None = None,
    vector: bytes | None = None,
    idempotency_key: str | None = None,
    made: UUID | None = None,
) -> Memory:
    """Return a checked Memory with its id; raises InvalidInput and makes nothing on bad input.

    `made` is the id that a client outside of the stack made for this call.
    """
    now = datetime.now(UTC)
    agent = check_name("agent", agent)
    memory = Memory(
        uuid7() if made is None else id_like(made, namespace_id, agent),
        namespace_id,
        agent,
        layer if type(layer) is Layer else layer_named(layer),
        check_text("content", content),
        None if session is None else check_name("session", session),
        b"{}" if details is None else check_details(details),
        check_labels("tags", tags) if tags else (),
        check_labels("entities", entities) if entities else (),
        None if outcome is None else outcome_named(outcome),
        0.5 if salience == 0.5 else check_number("salience", salience, low=0.0, high=1.0),
        now if occurred_at is None else moment("occurred_at", occurred_at),
        now,
        expiry(now, ttl_s),
        None if source is None else check_text("source", source, limit=MAX_SOURCE_BYTES),
        vector,
    )
    return memory if idempotency_key is None else keyed(memory, idempotency_key, "remember")


def keyed(memory: Memory, text: str, *verb: str) -> Memory:
    """Return the memory under a caller's key, for this verb; raises InvalidInput.

    All that stores a memory for an agent shares its keys: a revision under the key of a memory
    would swallow it.
    """
    scope = (memory.agent,)
    return memory._replace(
        write_key=write_key(memory.namespace_id, scope, text, (verb, memory.said))
    )


def layers_named(values: Sequence[Layer | str]) -> tuple[Layer, ...]:
    """Return the named layers, or raise InvalidInput."""
    return tuple(layer_named(value) for value in values)


def content_hash(content: bytes) -> bytes:
    """Return 16 bytes that tell equal contents (UTF-8)."""
    return hashlib.blake2b(content, digest_size=16).digest()
