"""Reranking: the first of a ranking put in the order of a model that reads question and text."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pinak_ray.language.indexed_texts import index_text
from pinak_ray.recall.recipes import Recipe
from pinak_ray.records.errors import InvalidInput, Unavailable
from pinak_ray.records.memory.recall import Hit, RecallRequest, RecallResult, Signal

__all__ = ["RERANK", "RERANKED", "Reranker", "is_reranked", "reranked"]

RERANK = "rerank"
"""What the model says of a hit, as a signal of the trace."""
RERANKED = 20
"""So many hits of a ranking are put in another order; those behind them stay where they are."""
# Models read some hundred tokens; the first page of a book says what it is about.
_MOST_CHARACTERS = 4_000


class Ranked(Protocol):
    """Ranks what was found, for the page that a request asks for."""

    def __call__(self, *, request: RecallRequest) -> RecallResult:
        """Return the page."""
        ...


class Reranker(Protocol):
    """A model that says how well each of some texts answers a question."""

    @property
    def always(self) -> bool:
        """Whether it is asked where a request does not say."""
        ...

    async def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return a score a text, the higher the better, in order; raises Unavailable soon."""
        ...


def is_reranked(request: RecallRequest, recipe: Recipe, reranker: Reranker | None) -> bool:
    """Tell whether a request is to be reranked; raises InvalidInput where it asks in vain."""
    if not request.rerank:
        default = request.rerank is None and reranker is not None and reranker.always
        return default and not recipe.is_walked
    if reranker is None:
        raise InvalidInput("no reranker is set up here; see PINAK_RERANK_URL")
    if recipe.is_walked:
        raise InvalidInput(f"recipe {recipe.name!r} has an order of its own: it takes no rerank")
    return True


async def reranked(ranked: Ranked, request: RecallRequest, reranker: Reranker) -> RecallResult:
    """Return the request's page of the reranked ranking.

    The first 20 are the same for every page, so that no hit comes twice: each is asked for anew, or
    remembered by the reranker. Where it does not answer, the page is that of the ranking as it was,
    and says so.
    """
    start, end = request.offset, request.offset + request.k
    if start >= RERANKED:
        return ranked(request=request)
    # From the first hit on, whichever page is asked for.
    whole = ranked(request=replace(request, k=max(end, RERANKED), cursor=None))
    first, rest = whole.hits[:RERANKED], whole.hits[RERANKED:]
    if len(first) < 2 or len(whole.hits) <= start:
        return ranked(request=request)
    try:
        scores = await reranker.scores(request.query, [_text(hit) for hit in first])
    except Unavailable as error:
        return replace(ranked(request=request), degraded=f"not reranked: {error}")
    hits = (*_in_order(first, scores, traced=request.trace), *rest)
    more = whole.cursor is not None or len(hits) > end
    cursor = request.cursor_to(min(end, len(hits))) if more else None
    return _traced(replace(whole, hits=hits[start:end], cursor=cursor), len(first))


def _in_order(hits: Sequence[Hit], scores: Sequence[float], *, traced: bool) -> list[Hit]:
    """Return the hits, best first by the model; of equals, the order is the ranking's.

    A place keeps its score and relevance, which so fall along the page, and above what follows.
    """
    best = sorted(range(len(hits)), key=lambda at: (-scores[at], at))
    ordered = []
    for rank, (place, at) in enumerate(zip(hits, best, strict=True), 1):
        hit = replace(hits[at], score=place.score, relevance=place.relevance, fused=place.fused)
        if traced:
            lift = _ordered_by(place) - _ordered_by(hits[at])
            moved = Signal(RERANK, scores[at], rank, 1.0, lift)
            hit = replace(hit, signals=(*hit.signals, moved))
        ordered.append(hit)
    return ordered


def _ordered_by(hit: Hit) -> float:
    return hit.score if hit.fused is None else hit.fused


def _traced(result: RecallResult, count: int) -> RecallResult:
    trace = result.trace
    if trace is None:
        return result
    weights, brought = {**trace.weights, RERANK: 1.0}, {**trace.candidates, RERANK: count}
    return replace(result, trace=replace(trace, weights=weights, candidates=brought))


def _text(hit: Hit) -> str:
    return index_text(hit.agent, hit.session, hit.content)[:_MOST_CHARACTERS]
