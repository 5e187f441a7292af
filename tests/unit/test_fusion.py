"""Fusion: what the formulas promise whatever the scores are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.recall.fusion import best_first, fuse_ranks, fuse_zscores, ranks, zscores

values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
maybe = st.one_of(values, st.just(math.nan))
pairs = st.lists(st.tuples(maybe, maybe), min_size=1, max_size=40)
EQUAL = {"a": 0.5, "b": 0.5}


def arrays(rows: list[tuple[float, float]]) -> dict[str, np.ndarray]:
    """Return the rows as two signals."""
    return {
        name: np.array(column) for name, column in zip("ab", zip(*rows, strict=True), strict=True)
    }


def fusions() -> list[object]:
    """Return both fusions as functions of the signals alone."""
    return [
        pytest.param(lambda signals: fuse_zscores(signals, EQUAL), id="zscore"),
        pytest.param(lambda signals: fuse_ranks(signals, EQUAL), id="ranks"),
    ]


def test_zscores_have_mean_zero_and_deviation_one() -> None:
    """Known scores are centred and scaled by the population's deviation."""
    assert zscores(np.array([1.0, 2.0, 3.0])) == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])


def test_an_unknown_score_speaks_neither_for_nor_against() -> None:
    """NaN becomes the mean."""
    assert zscores(np.array([1.0, math.nan, 3.0])).tolist() == [-1.0, 0.0, 1.0]


@given(st.lists(st.just(math.nan), max_size=3), values, st.integers(1, 20))
def test_equal_scores_tell_nothing(unknown: list[float], value: float, count: int) -> None:
    """Without spread every z-score is 0, and rounding invents none."""
    assert not zscores(np.array([*unknown, *[value + 0.1] * count])).any()


def test_ranks_share_a_place_and_skip_the_next() -> None:
    """Equal scores have one rank; an unknown score has none."""
    assert ranks(np.array([3.0, 5.0, math.nan, 5.0, 1.0])).tolist() == [3, 1, 0, 1, 4]


def test_reciprocal_ranks_follow_the_formula() -> None:
    """A candidate's score is the sum of 1 / (k + rank) over the signals that know it."""
    signals = {"a": np.array([9.0, 8.0]), "b": np.array([math.nan, 1.0])}
    fused = fuse_ranks(signals, {"a": 1.0, "b": 2.0}, k=60)
    assert fused == pytest.approx([1 / 61, 1 / 62 + 2 / 61])


@pytest.mark.parametrize("fuse", fusions())
@given(rows=pairs, data=st.data())
def test_fusion_does_not_depend_on_the_order(fuse, rows, data) -> None:  # type: ignore[no-untyped-def]
    """Shuffling the candidates shuffles their scores, bit for bit."""
    shuffled = data.draw(st.permutations(range(len(rows))))
    moved = fuse(arrays([rows[at] for at in shuffled]))
    assert moved.tolist() == fuse(arrays(rows))[list(shuffled)].tolist()


@pytest.mark.parametrize("fuse", fusions())
@given(rows=st.lists(st.tuples(values, values), min_size=2, max_size=40))
def test_fusion_is_monotone(fuse, rows) -> None:  # type: ignore[no-untyped-def]
    """Who is at least as good in every signal never scores lower."""
    fused = fuse(arrays(rows))
    for one, (a, b) in enumerate(rows):
        for other, (c, d) in enumerate(rows):
            if a >= c and b >= d:
                assert fused[one] >= fused[other] - 1e-9


@given(rows=pairs, data=st.data())
def test_ties_are_stable(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    """Equal scores stand in the order of their keys, wherever they came in."""
    keys = data.draw(st.permutations(range(len(rows))))
    scores = np.array([round(0.0 if math.isnan(a) else a) % 3 for a, _ in rows], dtype=np.float64)
    order = best_first(scores, keys)
    told = [(-scores[at], keys[at]) for at in order]
    assert told == sorted(told)


def test_nothing_fuses_to_nothing() -> None:
    """No candidates give an empty score array, not an error."""
    assert len(fuse_zscores({"a": np.array([])}, {"a": 1.0})) == 0
    assert len(fuse_ranks({}, {})) == 0
