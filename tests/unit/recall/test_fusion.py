"""Fusion: what the formulas promise whatever the scores are."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.recall.fusion import (
    best_first,
    fuse_borda,
    fuse_combmnz,
    fuse_linear,
    fuse_ranks,
    fuse_zscores,
    minmax,
    ranks,
    zscores,
)

untimed = settings(deadline=None)
values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
maybe = st.one_of(values, st.just(math.nan))
pairs = st.lists(st.tuples(maybe, maybe), min_size=1, max_size=12)
EQUAL = {"a": 0.5, "b": 0.5}


def arrays(rows: list[tuple[float, float]]) -> dict[str, np.ndarray]:
    """Return the rows as two signals."""
    return {
        name: np.array(column) for name, column in zip("ab", zip(*rows, strict=True), strict=True)
    }


FUSIONS = [fuse_zscores, fuse_ranks, fuse_linear, fuse_combmnz, fuse_borda]
BY_SCORE = [fuse_zscores, fuse_linear, fuse_combmnz]
BY_RANK = [fuse_ranks, fuse_borda]


def test_zscores_have_mean_zero_and_deviation_one() -> None:
    """Known scores are centred and scaled by the population's deviation."""
    assert zscores(np.array([1.0, 2.0, 3.0])) == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])


def test_an_unknown_score_speaks_neither_for_nor_against() -> None:
    """NaN becomes the mean."""
    assert zscores(np.array([1.0, math.nan, 3.0])).tolist() == [-1.0, 0.0, 1.0]


@untimed
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


def test_minmax_spans_zero_to_one() -> None:
    """The worst known score is 0, the best 1; an unknown one is 0."""
    assert minmax(np.array([1.0, math.nan, 3.0, 5.0])).tolist() == [0.0, 0.0, 0.5, 1.0]


def test_the_linear_combination_follows_the_formula() -> None:
    """A candidate's score is the weighted sum of its min-max scores."""
    signals = {"a": np.array([0.0, 5.0, 10.0]), "b": np.array([math.nan, 4.0, 2.0])}
    assert fuse_linear(signals, {"a": 1.0, "b": 3.0}).tolist() == [0.0, 3.5, 1.0]


def test_combmnz_multiplies_by_the_signals_that_know() -> None:
    """Who is known to two signals counts double."""
    signals = {"a": np.array([0.0, 5.0, 10.0]), "b": np.array([math.nan, 4.0, 2.0])}
    assert fuse_combmnz(signals, {"a": 1.0, "b": 3.0}).tolist() == [0.0, 7.0, 2.0]


def test_borda_shares_the_points_that_are_left() -> None:
    """The best of n has n points over n; equals share theirs, the unknown what is left."""
    signals = {"a": np.array([9.0, 7.0, 7.0, math.nan, math.nan])}
    assert fuse_borda(signals, {"a": 5.0}).tolist() == [5.0, 3.5, 3.5, 1.5, 1.5]


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(rows=pairs, data=st.data())
def test_fusion_does_not_depend_on_the_order(fuse, rows, data) -> None:  # type: ignore[no-untyped-def]
    """Shuffling the candidates, or naming the signals in another order, changes no bit."""
    shuffled = data.draw(st.permutations(range(len(rows))))
    moved = fuse(dict(reversed(arrays([rows[at] for at in shuffled]).items())), EQUAL)
    assert moved.tolist() == fuse(arrays(rows), EQUAL)[list(shuffled)].tolist()


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(rows=st.lists(st.tuples(values, values), min_size=2, max_size=12))
def test_fusion_is_monotone(fuse, rows) -> None:  # type: ignore[no-untyped-def]
    """Who is at least as good in every signal never scores lower."""
    fused = fuse(arrays(rows), EQUAL)
    for one, (a, b) in enumerate(rows):
        for other, (c, d) in enumerate(rows):
            if a >= c and b >= d:
                assert fused[one] >= fused[other] - 1e-9


# Raising an outlier shrinks the deviation of its signal, and may so cost it another signal's lead:
# z-scores promise the next for one signal only.
@pytest.mark.parametrize("fuse", [fuse_ranks, fuse_linear, fuse_combmnz, fuse_borda])
@untimed
@given(rows=pairs, data=st.data(), more=st.floats(0.001, 1e6))
def test_a_raised_score_never_lowers_its_rank(fuse, rows, data, more) -> None:  # type: ignore[no-untyped-def]
    """Whom a candidate was not behind, it is not behind with a higher score in one signal."""
    raised = data.draw(st.integers(0, len(rows) - 1))
    before = fuse(arrays(rows), EQUAL)
    (a, b), better = rows[raised], list(rows)
    better[raised] = (a + more, b)
    after = fuse(arrays(better), EQUAL)
    assert (after[raised] >= after[before <= before[raised]] - 1e-9).all()


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(scores=st.lists(values, min_size=1, max_size=12))
def test_one_signal_keeps_its_order(fuse, scores) -> None:  # type: ignore[no-untyped-def]
    """Alone, a signal's ranking is not changed by fusing it, so raising a score never hurts."""
    signal = np.array(scores)
    fused = fuse({"a": signal}, {"a": 1.0})
    for one, other in itertools.product(range(len(scores)), repeat=2):
        if signal[one] >= signal[other]:
            assert fused[one] >= fused[other]


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(rows=pairs, data=st.data())
def test_equal_candidates_get_equal_scores(fuse, rows, data) -> None:  # type: ignore[no-untyped-def]
    """Ties stay ties, bit for bit, NaN included."""
    twin = data.draw(st.integers(0, len(rows) - 1))
    fused = fuse(arrays([*rows, rows[twin]]), EQUAL)
    assert fused[-1] == fused[twin]


@pytest.mark.parametrize("fuse", BY_SCORE)
@untimed
@given(rows=pairs, scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_units_do_not_matter(fuse, rows, scale, shift) -> None:  # type: ignore[no-untyped-def]
    """A signal may be measured on any scale, from any zero."""
    signals = arrays(rows)
    moved = fuse({**signals, "a": signals["a"] * scale + shift}, EQUAL)
    assert moved == pytest.approx(fuse(signals, EQUAL), abs=1e-3)


@pytest.mark.parametrize("fuse", BY_RANK)
@untimed
@given(rows=pairs)
def test_only_the_order_matters_to_ranks(fuse, rows) -> None:  # type: ignore[no-untyped-def]
    """Any rising function of a signal leaves the fused scores as they are, bit for bit."""
    signals = arrays(rows)
    bent = {**signals, "a": np.arcsinh(signals["a"])}
    assert fuse(bent, EQUAL).tolist() == fuse(signals, EQUAL).tolist()


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(rows=pairs)
def test_an_unknown_score_never_spreads(fuse, rows) -> None:  # type: ignore[no-untyped-def]
    """NaN goes in; what comes out is finite, and a signal that knows nobody changes no order."""
    signals = arrays(rows)
    fused = fuse(signals, EQUAL)
    silent = fuse({**signals, "c": np.full(len(rows), math.nan)}, {**EQUAL, "c": 1.0})
    assert np.isfinite(fused).all()
    assert silent - fused == pytest.approx(silent[0] - fused[0])


@pytest.mark.parametrize("fuse", FUSIONS)
@untimed
@given(row=st.tuples(maybe, maybe), count=st.integers(1, 20))
def test_equal_candidates_are_not_told_apart(fuse, row, count) -> None:  # type: ignore[no-untyped-def]
    """One candidate, or any number of equal ones, get one finite score."""
    fused = fuse(arrays([row] * count), EQUAL)
    assert len(set(fused.tolist())) == 1
    assert np.isfinite(fused).all()


@untimed
@given(rows=pairs, data=st.data())
def test_ties_are_stable(rows: list[tuple[float, float]], data: st.DataObject) -> None:
    """Equal scores stand in the order of their keys, wherever they came in."""
    keys = data.draw(st.permutations(range(len(rows))))
    scores = np.array([round(0.0 if math.isnan(a) else a) % 3 for a, _ in rows], dtype=np.float64)
    order = best_first(scores, keys)
    told = [(-scores[at], keys[at]) for at in order]
    assert told == sorted(told)


@pytest.mark.parametrize("fuse", FUSIONS)
def test_nothing_fuses_to_nothing(fuse) -> None:  # type: ignore[no-untyped-def]
    """No candidates give an empty score array, not an error."""
    assert len(fuse({"a": np.array([])}, {"a": 1.0})) == 0
    assert len(fuse({}, {})) == 0
