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
    whole = with_neighbours(result, found, min_score=request.min_score)
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
    result: RecallResult, found: Sequence[Related], *, min_score: float | None
) -> RecallResult:
    """Return the result with neighbours behind the hits, strongest first.

    One scores as much below the last hit as its path lacks of full strength, so that none comes
    before what the query itself found, and a link of strength 1 costs nothing. Nothing is added
    below `min_score`.
    """
    last = result.hits[-1].score
    added = [
        _neighbour(each, last - (1.0 - each.strength), rank, traced=result.trace is not None)
        for rank, each in enumerate(found, 1)
    ]
    kept = [hit for hit in added if min_score is None or hit.score >= min_score]
    return replace(result, hits=(*result.hits, *kept))


def _neighbour(related: Related, score: float, rank: int, *, traced: bool) -> Hit:
    signal = Signal(LINK, related.strength, rank, 1.0, score)
    return replace(related.hit, score=score, signals=(signal,) if traced else ())
