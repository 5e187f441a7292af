"""Fusion: several signals over the same candidates become one score each.

A signal is a float64 array of shape (n,), one raw score a candidate; NaN where it knows nothing of
the candidate. Every function here depends on the set of scores only, never on their order, so that
equal candidates stay equal wherever they stand. Weights are >= 0.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "Scores",
    "best_first",
    "fuse_borda",
    "fuse_combmnz",
    "fuse_linear",
    "fuse_ranks",
    "fuse_zscores",
    "known_or",
    "minmax",
    "ranks",
    "zscores",
]

Scores = npt.NDArray[np.float64]


def known_or(scores: Scores, otherwise: Scores | float) -> Scores:
    """Return the scores, and `otherwise` where one is NaN, shape (n,)."""
    return np.where(np.isnan(scores), otherwise, scores)  # a tenth of np.nan_to_num's time


def zscores(scores: Scores) -> Scores:
    """Return (score - mean) / standard deviation over the known scores, shape (n,).

    0 where the score is NaN (nothing known speaks neither for nor against) and everywhere when all
    known scores are equal.
    """
    known = np.sort(scores[~np.isnan(scores)])  # a sum rounds by the order of its parts
    if not len(known):
        return np.zeros_like(scores)
    mean = known.sum() / len(known)
    deviation = math.sqrt(np.square(known - mean).sum() / len(known))
    # Rounding alone makes some 1e-17 of equal scores; dividing by it would invent differences.
    if deviation <= 1e-12 * max(abs(known[0]), abs(known[-1])):
        return np.zeros_like(scores)
    return known_or((scores - mean) / deviation, 0.0)


def fuse_zscores(signals: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return the weighted sum of z-scores, sum_s w_s * z_s, shape (n,).

    Z-score normalisation ("standard" in Montague and Aslam, "Relevance score normalization for
    metasearch", CIKM 2001) with CombSUM (Fox and Shaw, TREC-2 1993).
    """
    return _weighted_sum({name: zscores(scores) for name, scores in signals.items()}, weights)


def minmax(scores: Scores) -> Scores:
    """Return (score - min) / (max - min) over the known scores, within [0, 1], shape (n,).

    0 where the score is NaN and everywhere when all known scores are equal. Lee, "Analyses of
    multiple evidence combination", SIGIR 1997.
    """
    known = scores[~np.isnan(scores)]
    if not len(known) or known.min() == known.max():
        return np.zeros_like(scores)
    shares: Scores = (scores - known.min()) / (known.max() - known.min())
    return known_or(shares, 0.0)


def fuse_linear(signals: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return the linear combination of min-max scores, sum_s w_s * m_s, shape (n,).

    With equal weights this is CombSUM (Fox and Shaw, "Combination of multiple searches", TREC-2
    1993) under the normalisation of Lee, SIGIR 1997.
    """
    return _weighted_sum({name: minmax(scores) for name, scores in signals.items()}, weights)


def fuse_combmnz(signals: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return CombMNZ, c * sum_s w_s * m_s, shape (n,): c signals know the candidate, m is min-max.

    Fox and Shaw, TREC-2 1993, normalised as in Lee, SIGIR 1997. A score of 0 counts as known: leave
    NaN where a signal did not find the candidate.
    """
    ones = dict.fromkeys(signals, 1.0)
    known = {name: (~np.isnan(scores)).astype(np.float64) for name, scores in signals.items()}
    return _weighted_sum(known, ones) * fuse_linear(signals, weights)


def fuse_borda(signals: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return the weighted Borda count over n, sum_s w_s * p_s / n, shape (n,).

    The best of n candidates has p = n points, the last has 1. Whom a signal cannot tell apart share
    their points evenly, and so do, in the last places, all it knows nothing of: Aslam and Montague,
    "Models for metasearch", SIGIR 2001. Over n, so that a bonus weighs the same whatever n is.
    """
    shares = {}
    for name, scores in signals.items():
        placed = np.where(np.isnan(scores), -np.inf, scores)
        ordered = np.sort(placed)
        worse = np.searchsorted(ordered, placed, side="left")
        not_better = np.searchsorted(ordered, placed, side="right")
        shares[name] = (worse + not_better + 1) / (2 * max(len(scores), 1))
    return _weighted_sum(shares, weights)


def ranks(scores: Scores) -> npt.NDArray[np.int64]:
    """Return each candidate's rank, 1 for the best, 0 where the score is NaN; equals share one."""
    known = np.sort(scores[~np.isnan(scores)])
    better = len(known) - np.searchsorted(known, scores, side="right")
    return np.where(np.isnan(scores), 0, better + 1)


def fuse_ranks(
    signals: Mapping[str, Scores], weights: Mapping[str, float], *, k: int = 60
) -> Scores:
    """Return reciprocal rank fusion, sum_s w_s / (k + rank_s), shape (n,); no rank adds nothing.

    Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods", SIGIR 2009, whose k is 60.
    """
    reciprocals = {}
    for name, scores in signals.items():
        rank = ranks(scores)
        reciprocals[name] = np.where(rank > 0, 1.0 / (k + rank), 0.0)
    return _weighted_sum(reciprocals, weights)


def best_first(scores: Scores, keys: Sequence[object]) -> list[int]:
    """Return the positions by falling score; equal scores follow their keys, not their places."""
    falling = (-scores).tolist()  # numpy's own numbers compare ten times as slowly
    return sorted(range(len(keys)), key=lambda at: (falling[at], keys[at]))


def _weighted_sum(parts: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    total: Scores = np.zeros(len(next(iter(parts.values()))) if parts else 0)
    for name in sorted(parts):
        total = total + weights[name] * parts[name]
    return total
