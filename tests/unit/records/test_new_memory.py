"""A Memory is checked where it is made."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import id_from_key, uuid7
from pinak_ray.records.memory.memories import Ack, Layer, Memory, Outcome, ack_level, new_memory


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


@pytest.mark.parametrize("key", ["k", "ü" * 120, str(uuid7()), str(id_from_key(3, "ada", "k"))])
def test_a_key_is_a_key_whatever_its_form(key: str) -> None:
    """It names no id; it is one of this namespace and agent, and of all kinds of memories."""
    first, again = (new_memory(3, "ada", "x", idempotency_key=key) for _ in range(2))
    others = (
        new_memory(3, "bob", "x", idempotency_key=key),
        new_memory(4, "ada", "x", idempotency_key=key),
    )

    assert first.id != again.id
    assert str(first.id) != key
    assert first.write_key == again.write_key
    assert first.write_key is not None
    assert first.write_key.id == id_from_key(3, "ada", key)
    assert first.write_key.id not in [o.write_key and o.write_key.id for o in others]
    assert new_memory(3, "ada", "x").write_key is None


@pytest.mark.parametrize(
    "said",
    [
        {"content": "y"},
        {"layer": "episodic"},
        {"session": "s"},
        {"details": {"a": 1}},
        {"tags": ["t"]},
        {"entities": ["e"]},
        {"outcome": "failure"},
        {"salience": 0.6},
        {"occurred_at": "2026-03-01T12:00:00+00:00"},
        {"ttl_s": 5},
        {"source": "log"},
        {"vector": b"\0\1\0\0\x3c\0"},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_key_tells_another_body(said: dict[str, Any]) -> None:
    """Each field that a caller may give counts; when it is said, and by which call, does not."""
    one, again = (new_memory(3, "ada", "x", idempotency_key="k") for _ in range(2))
    other, same = (
        new_memory(3, "ada", **{"content": "x", **said}, idempotency_key="k") for _ in range(2)
    )

    assert one.write_key == again.write_key != other.write_key == same.write_key


def test_the_order_of_names_in_details_says_nothing() -> None:
    """JSON objects have no order, and one wire may sort them."""
    one, other = (
        new_memory(3, "ada", "x", details=details, idempotency_key="k")
        for details in ({"a": 1, "b": 2.0}, {"b": 2.0, "a": 1})
    )

    assert one.write_key == other.write_key


def test_the_id_that_a_client_made_names_only_its_own_write() -> None:
    """The same call twice is one id; of another agent it is another, and never the one given."""
    made = uuid7()
    ada, again = (new_memory(3, "ada", "x", made=made) for _ in range(2))
    bob = new_memory(3, "bob", "x", made=made)

    assert ada.id == again.id
    assert len({made, ada.id, bob.id}) == 3
    assert {id_.version for id_ in (ada.id, bob.id)} == {7}
    assert {id_.int >> 80 for id_ in (ada.id, bob.id)} == {made.int >> 80}


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
