"""Expansion: behind its hits a recall can bring the memories that are linked to them."""

from collections.abc import Sequence
from dataclasses import replace

from pinak_ray.recall.related import Step, walk
from pinak_ray.recall.trace import Stopwatch
from pinak_ray.records.memory.links import Related
from pinak_ray.records.memory.recall import Hit, RecallRequest, RecallResult, Signal

__all__ = ["LINK", "expand", "with_neighbours"]

LINK = "link"
"""The strength of the path of links from a hit to a memory that was added."""


async def expand(request: RecallRequest, result: RecallResult, step: Step) -> RecallResult:
    """Return the result with what `step` leads to from its hits: at most as many as were asked."""
    watch = Stopwatch()
    with watch.step("expand"):
        starts = [hit.id for hit in result.hits]
        found = await walk(starts, step, depth=request.expand, k=request.k)
    whole = with_neighbours(
        result, found, min_score=request.min_score, min_relevance=request.min_relevance
    )
    trace = whole.trace
    if trace is None:
        return whole
    added = len(whole.hits) - len(result.hits)
    return replace(
        whole,
        trace=replace(
            trace,
            candidates={**trace.candidates, LINK: added},
            timings_ms={**trace.timings_ms, **watch.timings_ms},
        ),
    )


def with_neighbours(
    result: RecallResult,
    found: Sequence[Related],
    *,
    min_score: float | None,
    min_relevance: float | None = None,
) -> RecallResult:
    """Return the result with neighbours behind the hits, strongest first.

    One has the share of the last hit's score and relevance that its path has of full strength, so
    that none comes before what the query itself found, and a link of strength 1 costs nothing. Of a
    score below 0 it lacks as much more. Nothing is added below a floor.
    """
    last = result.hits[-1]
    added = [
        _neighbour(each, last, rank, traced=result.trace is not None)
        for rank, each in enumerate(found, 1)
    ]
    kept = [
        hit
        for hit in added
        if (min_score is None or hit.score >= min_score)
        and (hit.relevance is None or hit.relevance >= (min_relevance or 0.0))
    ]
    return replace(result, hits=(*result.hits, *kept))


def _neighbour(related: Related, last: Hit, rank: int, *, traced: bool) -> Hit:
    strength = related.strength
    score = last.score - abs(last.score) * (1.0 - strength)
    return replace(
        related.hit,
        score=score,
        relevance=None if last.relevance is None else last.relevance * strength,
        signals=(Signal(LINK, strength, rank, 1.0, score),) if traced else (),
    )
