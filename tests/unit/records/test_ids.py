"""Ids: rising, well-formed, and stable for an idempotency key."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinak_ray.records import ids
from pinak_ray.records.ids import NamespaceKey, id_from_key, uuid7

ADDRESS = st.tuples(st.integers(0, 2**31 - 1), st.text(max_size=8), st.text(max_size=8))


def test_ids_rise_within_a_thread() -> None:
    """Each id of one thread is greater than the one before."""
    made = [uuid7() for _ in range(5_000)]

    assert made == sorted(set(made))


def test_ids_rise_across_threads() -> None:
    """An id is greater than every id that any thread had made before it was asked for."""
    with ThreadPoolExecutor(4) as pool:
        for _ in range(200):
            earlier = list(pool.map(lambda _: uuid7(), range(8)))
            later = list(pool.map(lambda _: uuid7(), range(8)))
            assert max(earlier) < min(later)
            assert len({*earlier, *later}) == 16


def test_ids_rise_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back does not bring back earlier ids."""
    before = uuid7()
    now = time.time_ns()
    monkeypatch.setattr(ids.time, "time_ns", lambda: now - 10**12)

    assert before < uuid7() < uuid7()


def test_an_id_holds_version_variant_and_time() -> None:
    """The id is an RFC 9562 UUIDv7 whose first 48 bits are now, in milliseconds."""
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (7, RFC_4122)
    # A burst of ids may run ahead of the clock by a tick each; a second is far past any burst here.
    assert before <= made.int >> 80 <= after + 1_000


def test_the_id_of_a_key_never_changes() -> None:
    """The id of a key is the same in every process and every release: retries depend on it."""
    pinned = UUID("c19c7f35-a7e1-879f-9782-78d21f18c002")

    assert pinned == id_from_key(7, "deployer", "rollout/42")


@given(ADDRESS)
def test_the_id_of_a_key_is_a_uuid8(address: tuple[int, str, str]) -> None:
    """Every (namespace, agent, key) gives a UUIDv8, and the same one again."""
    made = id_from_key(*address)

    assert (made.version, made.variant) == (8, RFC_4122)
    assert made == id_from_key(*address)


@given(ADDRESS, ADDRESS)
@example((1, "a", "b"), (1, "a\x1f1:b", ""))
@example((1, "a", "\x1fb"), (1, "a\x1f", "b"))
@example((11, "", ""), (1, "1", ""))
@example((1, "ab", "c"), (1, "a", "bc"))
@example((1, "1:a", ""), (1, "", "1:a"))
def test_no_two_keys_share_an_id(one: tuple[int, str, str], other: tuple[int, str, str]) -> None:
    """Different (namespace, agent, key) give different ids, whatever separators they hold."""
    assert (one == other) == (id_from_key(*one) == id_from_key(*other))


def test_a_namespace_reads_as_tenant_and_project() -> None:
    """A namespace key prints as tenant/project."""
    assert str(NamespaceKey("acme", "shop")) == "acme/shop"
