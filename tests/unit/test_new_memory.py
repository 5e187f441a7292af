"""A Memory is checked where it is made."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_from_key
from pinak_ray.records.memories import Ack, Layer, Memory, Outcome, ack_level, new_memory


def test_a_plain_memory_has_defaults() -> None:
    """Content alone makes a semantic memory that happened now and never expires."""
    before = datetime.now(UTC)
    memory = new_memory(3, "ada", "the build is slow")
    after = datetime.now(UTC)

    assert before <= memory.created_at <= after
    assert memory == Memory(
        memory.id,
        3,
        "ada",
        Layer.SEMANTIC,
        "the build is slow",
        None,
        b"{}",
        (),
        (),
        None,
        0.5,
        memory.created_at,
        memory.created_at,
        None,
        None,
        None,
    )


def test_every_field_is_kept() -> None:
    """What the caller says is in the memory, names turned into members and times into UTC."""
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    memory = new_memory(
        3,
        "ada",
        "rollout blocked",
        layer="episodic",
        session="s/1",
        details={"ticket": 42},
        tags=["db", "db"],
        entities=["orders"],
        outcome="failure",
        salience=1,
        occurred_at=at,
        ttl_s=60,
        source="https://example.org/1",
        vector=b"v",
    )

    assert memory.layer is Layer.EPISODIC
    assert memory.outcome is Outcome.FAILURE
    assert orjson.loads(memory.details) == {"ticket": 42}
    assert (memory.tags, memory.entities) == (("db",), ("orders",))
    assert (memory.session, memory.source, memory.vector) == ("s/1", "https://example.org/1", b"v")
    assert (memory.occurred_at, memory.occurred_at.tzinfo) == (at, UTC)
    assert memory.expires_at == memory.created_at + timedelta(seconds=60)
    assert (memory.salience, type(memory.salience)) == (1.0, float)


def test_an_iso_time_is_read() -> None:
    """A time may come as ISO 8601 with its zone."""
    memory = new_memory(3, "ada", "x", occurred_at="2026-01-31T12:00:00+02:00")

    assert memory.occurred_at == datetime(2026, 1, 31, 10, tzinfo=UTC)


def test_an_idempotency_key_names_the_memory() -> None:
    """The same key gives the same id, whatever else is said; without one each id is new."""
    first = new_memory(3, "ada", "x", idempotency_key="k")
    again = new_memory(3, "ada", "y", idempotency_key="k")

    assert first.id == again.id == id_from_key(3, "ada", "k")
    assert new_memory(3, "ada", "x").id != new_memory(3, "ada", "x").id


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"agent": ""}, "agent is empty"),
        ({"agent": "a" * 257}, "agent has 257 bytes"),
        ({"content": "  "}, "content is empty"),
        ({"content": "a\x00"}, "content holds a NUL"),
        ({"layer": "rag"}, "unknown layer 'rag'; choose one of: semantic, episodic"),
        ({"session": ""}, "session is empty"),
        ({"details": []}, "details must be an object"),
        ({"tags": "db"}, "tags must be a list"),
        ({"entities": ["a", ""]}, "an entry of entities is empty"),
        ({"outcome": "meh"}, "unknown outcome 'meh'"),
        ({"salience": 1.01}, "salience is 1.01"),
        ({"occurred_at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001 - the point
        ({"occurred_at": "yesterday"}, "not an ISO 8601 time"),
        ({"occurred_at": 7}, "must be a datetime"),
        ({"ttl_s": 0}, "ttl_s is 0"),
        ({"ttl_s": 1e10}, "ttl_s is"),
        ({"source": "s" * 2049}, "source has 2049 bytes"),
        ({"idempotency_key": ""}, "idempotency_key is empty"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_input_makes_no_memory(wrong: dict[str, Any], reason: str) -> None:
    """Each bad field is refused by name."""
    fields = {"agent": "ada", "content": "x", **wrong}

    with pytest.raises(InvalidInput, match=reason):
        new_memory(3, fields.pop("agent"), fields.pop("content"), **fields)


@pytest.mark.parametrize("level", [*Ack, *(level.value for level in Ack)])
def test_an_ack_level_is_known_by_name(level: str) -> None:
    """A member and its name mean the same level."""
    assert ack_level(level) is Ack(level)


def test_an_unknown_ack_level_is_refused() -> None:
    """The refusal names the choices."""
    with pytest.raises(InvalidInput, match="accepted, durable, searchable"):
        ack_level("fsynced")
