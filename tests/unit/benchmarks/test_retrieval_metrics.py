"""The benchmark's own measures, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.retrieval_metrics import hit_at, mean, ndcg_at, recall_at, reciprocal_rank

ids = st.integers(0, 20)
rankings = st.lists(ids, max_size=15)
relevants = st.sets(ids, max_size=6)


def test_recall_is_the_share_found_in_the_first_k() -> None:
    """Two of three relevant ids among the first three make two thirds."""
    assert recall_at(3, ["a", "x", "b", "c"], {"a", "b", "c"}) == pytest.approx(2 / 3)


def test_hit_asks_for_any() -> None:
    """One relevant id in time is enough."""
    assert hit_at(2, ["x", "a"], {"a", "b"}) == 1.0
    assert hit_at(1, ["x", "a"], {"a", "b"}) == 0.0


def test_ndcg_discounts_by_rank() -> None:
    """A hit at rank 2 gains 1 / log2 3 of the ideal."""
    assert ndcg_at(10, ["x", "a"], {"a"}) == pytest.approx(1 / math.log2(3))
    assert ndcg_at(10, ["x", "a", "b"], {"a", "b"}) == pytest.approx(
        (1 / math.log2(3) + 0.5) / (1 + 1 / math.log2(3))
    )


def test_the_first_relevant_id_sets_the_reciprocal_rank() -> None:
    """Later ones do not matter."""
    assert reciprocal_rank(["x", "y", "a", "b"], {"a", "b"}) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x"], {"a"}) == 0.0


def test_a_repeated_id_counts_once() -> None:
    """Returning the answer twice is no better than once."""
    assert recall_at(3, ["a", "a", "a", "b"], {"a", "b"}) == 1.0
    assert ndcg_at(2, ["a", "a"], {"a", "b"}) < 1.0


def test_the_mean_of_nothing_is_zero() -> None:
    """An empty benchmark does not crash."""
    assert mean([]) == 0.0


@given(rankings, relevants, st.integers(1, 20))
def test_measures_lie_between_zero_and_one(ranked: list[int], relevant: set[int], k: int) -> None:
    """Whatever comes back, a share is a share, and growing k never lowers recall."""
    for measure in (recall_at, hit_at, ndcg_at):
        assert 0.0 <= measure(k, ranked, relevant) <= 1.0 + 1e-12
    assert recall_at(k, ranked, relevant) <= recall_at(k + 1, ranked, relevant)


@given(relevants.filter(bool))
def test_the_ideal_ranking_is_perfect(relevant: set[int]) -> None:
    """All relevant ids first score 1 in every measure."""
    ranked = [*relevant, 99]
    assert recall_at(20, ranked, relevant) == ndcg_at(20, ranked, relevant) == 1.0
    assert hit_at(1, ranked, relevant) == reciprocal_rank(ranked, relevant) == 1.0
