"""Working memory against a plain model."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pinak_ray.agents import working_memory
from pinak_ray.agents.working_memory import WorkingMemory
from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.errors import InvalidInput, VersionConflict
from pinak_ray.records.state.owners import WorkingItem

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def noted(memory: WorkingMemory, key: str, value: bytes = b"1", **options: object) -> WorkingItem:
    """Write one item now and return it."""
    item, new = memory.note(key, value, uuid4(), **{"now": NOW, **options})  # type: ignore[arg-type]
    assert new
    return item


def test_versions_start_at_one_and_rise_by_one() -> None:
    """Each write of a key raises its own version."""
    memory = WorkingMemory()

    assert [noted(memory, "plan").version for _ in range(3)] == [1, 2, 3]
    assert noted(memory, "other").version == 1


def test_a_retry_changes_nothing() -> None:
    """The same operation again returns the item that it made, also under compare-and-set."""
    memory = WorkingMemory()
    operation = uuid4()
    item, _ = memory.note("plan", b"1", operation, now=NOW, expected_version=0)
    again = memory.note("plan", b"1", operation, now=NOW, expected_version=0)

    assert again == (item, False)


def test_zero_expects_a_new_key() -> None:
    """Version 0 wins only where no live item is."""
    memory = WorkingMemory()
    noted(memory, "plan", expected_version=0)

    with pytest.raises(VersionConflict) as caught:
        noted(memory, "plan", expected_version=0)
    assert caught.value.args == ("plan", 0, 1)


def test_a_lost_compare_and_set_writes_nothing() -> None:
    """The item stays as it was when another version was expected."""
    memory = WorkingMemory()
    item = noted(memory, "plan", b'"mine"')

    with pytest.raises(VersionConflict):
        noted(memory, "plan", b'"theirs"', expected_version=7)
    assert memory.recollect("plan", now=NOW) == (item,)


def test_an_expired_item_is_gone_but_its_version_goes_on() -> None:
    """At its expiry an item is not seen; a new one continues the count and counts as new."""
    memory = WorkingMemory()
    noted(memory, "plan", ttl_s=10)
    later = NOW + timedelta(seconds=10)

    assert memory.recollect("plan", now=later) == memory.recollect(None, now=later) == ()
    assert noted(memory, "plan", now=later, expected_version=0).version == 2


def test_a_full_memory_refuses_new_keys_only() -> None:
    """At the limit a held key can still be written, and an expired one gives up its place."""
    memory = WorkingMemory()
    noted(memory, "short", ttl_s=10)
    for index in range(working_memory.MAX_ITEMS - 1):
        noted(memory, f"k{index}")

    with pytest.raises(InvalidInput, match="its limit"):
        noted(memory, "more")
    assert noted(memory, "k0").version == 2
    assert noted(memory, "more", now=NOW + timedelta(seconds=10)).version == 1


def test_all_items_are_one_answer() -> None:
    """Past 4 MiB nothing grows; what has expired gives up its place, and what is less is taken."""
    memory = WorkingMemory()
    noted(memory, "short", b"1" * 60_000, ttl_s=10)
    for place in range(68):
        noted(memory, f"k{place}", b"1" * 60_000)
    with pytest.raises(InvalidInput, match="holds 4 MiB, its limit"):
        noted(memory, "more", b"1" * 60_000)
    assert noted(memory, "$intent", b"1" * 60).version == 1
    size = sum(len(item.encoded) for item in memory.recollect(None, now=NOW))
    assert MAX_ANSWER_BYTES - 120_000 < size <= MAX_ANSWER_BYTES
    assert noted(memory, "k0", b"1").version == 2
    later = NOW + timedelta(seconds=10)
    noted(memory, "k0", b"1" * 65_000, now=later)
    noted(memory, "one", b"1" * 60_000, now=later)
    with pytest.raises(InvalidInput, match="its limit"):
        noted(memory, "more", b"1" * 65_000, now=later)
    assert memory.size_bytes == WorkingMemory.of(memory.items.values()).size_bytes


def test_all_items_come_in_key_order() -> None:
    """Reading without a key gives every live item, sorted."""
    memory = WorkingMemory()
    for key in ("b", "ä", "a"):
        noted(memory, key)

    assert [item.key for item in memory.recollect(None, now=NOW)] == ["a", "b", "ä"]


class Held(NamedTuple):
    """What the model knows of one item."""

    value: bytes
    version: int
    expires_at: datetime | None
    operation: UUID


KEYS = st.sampled_from("abcdef")


class AgainstAModel(RuleBasedStateMachine):
    """Any sequence of writes, retries and time leaves the memory equal to a plain dict."""

    LIMIT = 4

    @initialize()
    def start(self) -> None:
        self.limit_before = working_memory.MAX_ITEMS
        working_memory.MAX_ITEMS = self.LIMIT
        self.memory = WorkingMemory()
        self.model: dict[str, Held] = {}
        self.now = NOW

    def teardown(self) -> None:
        if hasattr(self, "limit_before"):
            working_memory.MAX_ITEMS = self.limit_before

    def alive(self, key: str) -> bool:
        held = self.model.get(key)
        return held is not None and (held.expires_at is None or held.expires_at > self.now)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(
        key=KEYS,
        value=st.binary(max_size=3),
        ttl_s=st.none() | st.integers(1, 40),
        expected=st.none() | st.integers(0, 4),
    )
    def write(self, key: str, value: bytes, ttl_s: int | None, expected: int | None) -> None:
        operation = uuid4()
        options = {"now": self.now, "ttl_s": ttl_s, "expected_version": expected}
        seen = self.model[key].version if self.alive(key) else 0
        if expected not in (None, seen):
            with pytest.raises(VersionConflict) as caught:
                self.memory.note(key, value, operation, **options)  # type: ignore[arg-type]
            assert (expected, seen) == (caught.value.expected, caught.value.current)
            return
        if key not in self.model and len(self.model) >= self.LIMIT:
            self.model = {k: held for k, held in self.model.items() if self.alive(k)}
            if len(self.model) >= self.LIMIT:
                with pytest.raises(InvalidInput):
                    self.memory.note(key, value, operation, **options)  # type: ignore[arg-type]
                return
        item, new = self.memory.note(key, value, operation, **options)  # type: ignore[arg-type]
        version = self.model[key].version + 1 if key in self.model else 1
        expires_at = None if ttl_s is None else self.now + timedelta(seconds=ttl_s)
        self.model[key] = Held(value, version, expires_at, operation)
        assert (version, True) == (item.version, new)

    @rule(key=KEYS)
    def retry(self, key: str) -> None:
        held = self.model.get(key)
        if held is not None:
            item, new = self.memory.note(key, b"again", held.operation, now=self.now)
            assert (held.value, held.version, False) == (item.encoded, item.version, new)

    @rule()
    def rehydrate(self) -> None:
        self.memory = WorkingMemory.of(list(self.memory.items.values()))

    @invariant()
    def the_same_is_seen(self) -> None:
        if not hasattr(self, "memory"):
            return
        expected = [(k, self.model[k].value) for k in sorted(self.model) if self.alive(k)]

        assert expected == [(i.key, i.encoded) for i in self.memory.recollect(None, now=self.now)]
        assert len(self.memory.items) <= self.LIMIT


TestAgainstAModel = AgainstAModel.TestCase
TestAgainstAModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
