"""Two embedding models side by side: the same queries to both, and how their answers differ."""

import math
import time
from collections.abc import Callable, Sequence
from statistics import fmean, quantiles
from typing import NamedTuple
from uuid import UUID

from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.recall import RecallRequest

__all__ = ["Asked", "Comparison", "Quality", "compare", "ndcg_at", "recall_at"]

_K = 10


class Asked(NamedTuple):
    """One query of a namespace, and what answers it where that is known."""

    namespace_id: int
    query: str
    relevant: frozenset[UUID] = frozenset()


class Quality(NamedTuple):
    """How one model does: milliseconds of a search, and how well where labels tell."""

    p50_ms: float
    p95_ms: float
    recall_at_10: float | None
    ndcg_at_10: float | None


class Comparison(NamedTuple):
    """How two models' answers differ: means over the queries, from 0 to 1."""

    queries: int
    labelled: int
    overlap_at_10: float
    same_first: float
    serving: Quality
    candidate: Quality


class _Answers(NamedTuple):
    ids: list[list[UUID]]
    ms: list[float]


async def compare(
    asked: Sequence[Asked],
    serving: Recaller,
    candidate: Recaller,
    *,
    progress: Callable[[float], None],
) -> Comparison:
    """Ask both models every query, in turns, with the default recipe; `asked` must not be empty.

    `progress` gets 0 to 1.
    """
    answers = (_Answers([], []), _Answers([], []))
    for number, each in enumerate(asked):
        sides = list(zip((serving, candidate), answers, strict=True))
        # Who asks second finds the pages in memory: so they take turns.
        for recaller, into in sides if number % 2 else reversed(sides):
            began = time.perf_counter()
            result = await recaller.recall(each.namespace_id, RecallRequest(each.query, k=_K))
            into.ms.append((time.perf_counter() - began) * 1000)
            into.ids.append([hit.id for hit in result.hits])
        progress((number + 1) / len(asked))
    pairs = list(zip(answers[0].ids, answers[1].ids, strict=True))
    return Comparison(
        len(asked),
        sum(bool(each.relevant) for each in asked),
        fmean(_overlap(one, other) for one, other in pairs),
        fmean(one[:1] == other[:1] for one, other in pairs),
        *(_quality(asked, each) for each in answers),
    )


def _overlap(one: Sequence[UUID], other: Sequence[UUID]) -> float:
    """Return which share of the longer answer both have; two empty ones are equal."""
    longer = max(len(one), len(other))
    return len(set(one) & set(other)) / longer if longer else 1.0


def _quality(asked: Sequence[Asked], answers: _Answers) -> Quality:
    labelled = [
        (ids, each.relevant) for each, ids in zip(asked, answers.ids, strict=True) if each.relevant
    ]
    cuts = quantiles(answers.ms, n=20, method="inclusive") if len(answers.ms) > 1 else None
    return Quality(
        cuts[9] if cuts else answers.ms[0],
        cuts[18] if cuts else answers.ms[0],
        fmean(recall_at(_K, *each) for each in labelled) if labelled else None,
        fmean(ndcg_at(_K, *each) for each in labelled) if labelled else None,
    )


def recall_at(k: int, found: Sequence[UUID], relevant: frozenset[UUID]) -> float:
    """Return which share of the relevant is among the first k."""
    return len(relevant.intersection(found[:k])) / len(relevant)


def ndcg_at(k: int, found: Sequence[UUID], relevant: frozenset[UUID]) -> float:
    """Return the share of the best possible discounted gain (Järvelin and Kekäläinen, 2002)."""
    gain = sum(1 / math.log2(at + 2) for at, id_ in enumerate(found[:k]) if id_ in relevant)
    return gain / sum(1 / math.log2(at + 2) for at in range(min(k, len(relevant))))
