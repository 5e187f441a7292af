"""Pages of a recall: each hit once, and a cursor that fits its own query only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray import InvalidInput
from pinak_ray.recall.paging import page
from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.limits import MAX_K
from pinak_ray.records.memory.recall import MAX_RRF_K, new_recall

THEN = datetime(2026, 1, 31, tzinfo=UTC)
ASKED: dict[str, Any] = {
    "query": "orders", "recipe": "rrf", "rrf_k": 10, "min_score": 0.5, "vector": b"\x00\x01",
    "layers": ["episodic"], "agents": ["ada"], "sessions": ["s"], "tags": ["a"], "any_tags": ["b"],
    "no_tags": ["c"], "entities": ["e"], "outcome": "failure", "since": THEN,
    "until": datetime(2026, 2, 28, tzinfo=UTC), "as_of": datetime(2026, 3, 1, tzinfo=UTC),
    "now": THEN, "zone": "+01:00", "every_copy": False, "rerank": None,
    "min_relevance": 0.1,
}  # fmt: skip
OTHER: dict[str, Any] = {
    "query": "order", "recipe": "default", "rrf_k": 11, "min_score": 0.6, "vector": b"\x00\x02",
    "layers": ["semantic"], "agents": ["bob"], "sessions": [], "tags": ["a", "b"],
    "any_tags": ["c"], "no_tags": [], "entities": ["f"], "outcome": None, "since": None,
    "until": datetime(2026, 2, 27, tzinfo=UTC), "as_of": datetime(2026, 3, 2, tzinfo=UTC),
    "now": datetime(2026, 2, 1, tzinfo=UTC), "zone": "+02:00", "every_copy": True, "rerank": False,
    "min_relevance": 0.2,
}  # fmt: skip


SMALL = [{"content": "x", "details": b"{}"}]


@given(st.lists(st.integers(1, MAX_ANSWER_BYTES // 5), max_size=150))
def test_a_page_ends_where_an_answer_is_full(sizes: list[int]) -> None:
    """Pages of long memories are shorter than was asked for, and still walk all of them, once."""
    rows = [{"content": "é", "details": b"x" * size} for size in sizes]
    ranking, walked, cursor = list(range(len(rows))), [], None
    for _ in range(len(rows) + 1):
        request = new_recall("orders", k=MAX_K, cursor=cursor)
        hits, cursor = page(ranking, rows, request)
        walked += hits
        assert len(hits) <= 16 or sum(2 + sizes[at] for at in hits) <= MAX_ANSWER_BYTES
        if cursor is None:
            break
    assert walked == ranking


@given(st.integers(0, 800), st.lists(st.integers(1, MAX_K), min_size=1, max_size=40))
def test_pages_walk_the_ranking_once(count: int, sizes: list[int]) -> None:
    """Whatever the pages' sizes, they are the ranking in order, and the last has no cursor."""
    ranking = list(range(count))
    walked: list[int] = []
    cursor = None
    for size in [*sizes, *[MAX_K] * 4]:
        request = new_recall("orders", k=size, cursor=cursor)
        hits, cursor = page(ranking, SMALL * count, request)
        walked += hits
        assert request.depth == sizes[0]
        assert len(hits) == size or cursor is None
        if cursor is None:
            break
    assert walked == ranking


@pytest.mark.parametrize("field", ASKED)
def test_a_cursor_is_of_its_own_query_only(field: str) -> None:
    """Whatever shapes the ranking, changed between pages, makes the cursor InvalidInput."""
    cursor = new_recall(**ASKED).cursor_to(10)

    assert new_recall(**ASKED, cursor=cursor).offset == 10
    with pytest.raises(InvalidInput, match="cursor"):
        new_recall(**{**ASKED, field: OTHER[field]}, cursor=cursor)


def test_size_and_trace_may_change_between_pages() -> None:
    """Neither shapes the ranking; the depth stays that of the first page."""
    cursor = new_recall("orders", k=30).cursor_to(30)
    second = new_recall("orders", k=5, trace=True, cursor=cursor)
    third = new_recall("orders", k=50, cursor=second.cursor_to(second.offset + second.k))

    assert [(one.offset, one.depth) for one in (second, third)] == [(30, 30), (35, 30)]


def test_a_damaged_cursor_is_refused() -> None:
    """No change of a cursor goes unnoticed, and nothing else is one."""
    cursor = new_recall("orders").cursor_to(10)
    raw = urlsafe_b64decode(cursor)
    flipped = [
        urlsafe_b64encode(bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])).decode()
        for at in range(len(raw))
    ]
    for damaged in (*flipped, "", "x", "ü", cursor[:-4], cursor + "AAAA", f" {cursor}", 7, b"x"):
        with pytest.raises(InvalidInput, match="cursor"):
            new_recall("orders", cursor=damaged)  # type: ignore[arg-type]


@pytest.mark.parametrize("rrf_k", [0, -1, MAX_RRF_K + 1, 1.5, True, "60"])
def test_rrf_k_has_bounds(rrf_k: Any) -> None:
    """A whole number from 1 to 1000."""
    assert new_recall("x", recipe="rrf", rrf_k=MAX_RRF_K).rrf_k == MAX_RRF_K
    with pytest.raises(InvalidInput, match="rrf_k"):
        new_recall("x", recipe="rrf", rrf_k=rrf_k)


def test_the_future_is_not_known() -> None:
    """as_of must not lie in the future, and has a zone."""
    with pytest.raises(InvalidInput, match="future"):
        new_recall("x", as_of=datetime(2999, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="time zone"):
        new_recall("x", as_of="2026-01-31T00:00:00")
