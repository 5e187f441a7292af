"""How good a ranking is: pure functions of what came back, best first, and what was relevant.

Relevance is binary. Every function returns a share between 0 and 1, and 0 when nothing is relevant;
a repeated id counts once, at its best place.
"""

import math
from collections.abc import Collection, Hashable, Iterable, Sequence

__all__ = ["hit_at", "mean", "ndcg_at", "recall_at", "reciprocal_rank"]


def recall_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Return the share of the relevant ids among the first `k`."""
    wanted = set(relevant)
    return len(wanted.intersection(_first(k, ranked))) / len(wanted) if wanted else 0.0


def hit_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Return 1 if any relevant id is among the first `k`, else 0."""
    return float(not set(relevant).isdisjoint(_first(k, ranked)))


def ndcg_at(k: int, ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Return DCG / ideal DCG of the first `k`, a relevant id at rank r gaining 1 / log2(r + 1).

    Jaervelin and Kekaelaeinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.
    """
    wanted = set(relevant)
    if not wanted:
        return 0.0
    gains = (
        1 / math.log2(rank + 1) for rank, id_ in enumerate(_first(k, ranked), 1) if id_ in wanted
    )
    ideal = (1 / math.log2(rank + 1) for rank in range(1, min(k, len(wanted)) + 1))
    return math.fsum(gains) / math.fsum(ideal)


def reciprocal_rank(ranked: Sequence[Hashable], relevant: Collection[Hashable]) -> float:
    """Return 1 / rank of the first relevant id, 0 if none; its mean over queries is MRR."""
    wanted = set(relevant)
    ranks = (1 / rank for rank, id_ in enumerate(dict.fromkeys(ranked), 1) if id_ in wanted)
    return next(ranks, 0.0)


def mean(values: Iterable[float]) -> float:
    """Return the arithmetic mean, 0 of nothing."""
    collected = list(values)
    return math.fsum(collected) / len(collected) if collected else 0.0


def _first(k: int, ranked: Sequence[Hashable]) -> list[Hashable]:
    return list(dict.fromkeys(ranked))[:k]
