"""A revision takes over what it does not say."""

from datetime import UTC, datetime

import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Layer, new_memory
from pinak_ray.records.memory.revisions import new_revision

DAY = datetime(2026, 3, 1, tzinfo=UTC)
OLD = new_memory(
    7, "ada", "one", layer="episodic", session="s", details={"n": 1}, tags=["a"], entities=["e"],
    outcome="failure", salience=0.9, occurred_at=DAY, ttl_s=60, source="log",
)  # fmt: skip


def test_nothing_given_takes_over_all() -> None:
    """Who says it, what is said and when it was stored are never taken over."""
    revision = new_revision(7, "bob", OLD.id, "two", tags=None)
    new = revision.over(OLD)

    assert new == OLD._replace(
        id=revision.memory.id, agent="bob", content="two", created_at=revision.memory.created_at
    )


def test_what_is_given_is_new() -> None:
    """Also where it is empty."""
    given = {
        "layer": "semantic", "session": "t", "details": {}, "tags": (), "entities": (),
        "outcome": "success", "salience": 0.1, "occurred_at": "2026-04-01T00:00:00Z", "ttl_s": 9,
        "source": "x",
    }  # fmt: skip
    revision = new_revision(7, "bob", str(OLD.id), "two", **given)

    assert revision.over(OLD) == revision.memory
    assert (revision.memory.layer, revision.memory.details) == (Layer.SEMANTIC, b"{}")


def test_what_is_no_id_cannot_be_revised() -> None:
    """The field is named."""
    with pytest.raises(InvalidInput, match="memory_id"):
        new_revision(7, "bob", "one", "two")


def test_a_key_tells_a_revision_from_all_else() -> None:
    """What is revised, and which fields are given, count; a memory of the same words is no
    revision."""
    made = [
        new_revision(7, "bob", OLD.id, "two", idempotency_key="k"),
        new_revision(7, "bob", uuid7(), "two", idempotency_key="k"),
        new_revision(7, "bob", OLD.id, "three", idempotency_key="k"),
        new_revision(7, "bob", OLD.id, "two", salience=0.5, idempotency_key="k"),
    ]
    keys = [revision.memory.write_key for revision in made]
    keys.append(new_memory(7, "bob", "two", idempotency_key="k").write_key)

    assert len({key.id for key in keys if key}) == 1
    assert len({key.says for key in keys if key}) == 5
