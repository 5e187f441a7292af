"""Fusion: several signals over the same candidates become one score each.

A signal is a float64 array of shape (n,), one raw score a candidate; NaN where it knows nothing of
the candidate. Every function here depends on the set of scores only, never on their order: sums are
exact (`math.fsum`), so that equal candidates stay equal wherever they stand.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Scores", "best_first", "fuse_ranks", "fuse_zscores", "ranks", "zscores"]

Scores = npt.NDArray[np.float64]


def zscores(scores: Scores) -> Scores:
    """Return (score - mean) / standard deviation over the known scores, shape (n,).

    0 where the score is NaN (nothing known speaks neither for nor against) and everywhere when all
    known scores are equal.
    """
    known = [float(score) for score in scores if not math.isnan(score)]
    if not known:
        return np.zeros_like(scores)
    mean = math.fsum(known) / len(known)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in known) / len(known))
    # Rounding alone makes some 1e-17 of equal scores; dividing by it would invent differences.
    if deviation <= 1e-12 * max(map(abs, known)):
        return np.zeros_like(scores)
    return np.nan_to_num((scores - mean) / deviation, nan=0.0)


def fuse_zscores(signals: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    """Return the weighted sum of z-scores, sum_s w_s * z_s, shape (n,).

    Z-score normalisation ("standard" in Montague and Aslam, "Relevance score normalization for
    metasearch", CIKM 2001) with CombSUM (Fox and Shaw, TREC-2 1993).
    """
    return _weighted_sum({name: zscores(scores) for name, scores in signals.items()}, weights)


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
    return sorted(range(len(keys)), key=lambda at: (-scores[at], keys[at]))


def _weighted_sum(parts: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    total: Scores = np.zeros(len(next(iter(parts.values()))) if parts else 0)
    for name in sorted(parts):
        total = total + weights[name] * parts[name]
    return total
