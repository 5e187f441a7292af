"""Ranking: candidates with their signals in, the page of a recall out, explained if asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from pinak_ray.embedding import Knows
from pinak_ray.recall.copies import grouped, shows_copies_once
from pinak_ray.recall.fusion import Scores, best_first
from pinak_ray.recall.paging import Turn, page, turn_page
from pinak_ray.recall.recipes import RECENCY, Recipe
from pinak_ray.recall.relevance.ranked import relevances
from pinak_ray.recall.scoring import has_evidence, score
from pinak_ray.recall.trace import signals_of, trace_of
from pinak_ray.records.memory.recall import RecallRequest, RecallResult, Signal, Trace
from pinak_ray.records.memory.rows import Row, hit_from_row

__all__ = ["Candidates", "contents_with_evidence", "rank"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of all signals' candidates: n rows, and per signal its n raw scores (NaN: none)."""

    rows: Sequence[Row]
    signals: dict[str, Scores]
    counts: dict[str, int]
    turn: Turn | None = None
    """What is on the page; None where the ranking of all says so."""
    lasts: Sequence[UUID] = ()
    """The last that each signal brought."""
    hidden: Mapping[bytes, int] = field(default_factory=dict)
    """By the hash of a content, how many more memories have it than are among the rows."""


def rank(
    found: Candidates, *, recipe: Recipe, request: RecallRequest, now: datetime, knows: Knows
) -> RecallResult:
    """Return the request's page of the candidates, best first, and its trace if asked for.

    `now` is the asker's moment, in their zone; `knows` tells what the query's model does. Where
    signals are fused the score of a hit is its relevance: their sum means another thing in each
    corpus, and only orders.
    """
    scored = score(found.rows, found.signals, recipe, request.query, now)
    scores, kept = scored.scores, has_evidence(found.signals, recipe)
    floor = recipe.min_score if request.min_score is None else request.min_score
    # All that a model does not know has one vector: of equals, what says the query itself is first.
    keys = [(row["content"] != request.query, row["id"]) for row in found.rows]
    order = best_first(scores, keys)
    ranked = [at for at in order if kept[at]]
    copies: dict[int, int] = {}
    if shows_copies_once(recipe, request):
        copies = dict(grouped(ranked, found.rows, scores, found.hidden))
        ranked = list(copies)
    chances: dict[int, float] = {}
    if RECENCY not in found.signals:
        chances = relevances(ranked, found.rows, scored.values, request, knows)
    shown = {at: chances[at] if recipe.is_fused else float(scores[at]) for at in ranked}
    least = request.min_relevance or 0.0
    ranked = [
        at
        for at in ranked
        if (floor is None or shown[at] >= floor) and (not chances or chances[at] >= least)
    ]
    if found.turn is None:
        chosen, cursor = page(ranked, found.rows, request)
    else:
        chosen, cursor = turn_page(found.turn, set(ranked), found.rows, request)
    trace: Trace | None = None
    explained: list[tuple[Signal, ...]] = [()] * len(chosen)
    if request.trace:
        trace = replace(
            trace_of(recipe, scored, found.counts, fused=len(kept), kept=len(ranked), floor=floor),
            min_relevance=request.min_relevance,
        )
        explained = signals_of(scored, chosen)
    hits = tuple(
        replace(
            hit_from_row(found.rows[at], shown[at], signals=said, copies=copies.get(at, 1)),
            relevance=chances.get(at),
            fused=float(scores[at]) if request.trace and recipe.is_fused else None,
        )
        for at, said in zip(chosen, explained, strict=True)
    )
    return RecallResult(hits, trace, cursor)


def contents_with_evidence(found: Candidates, recipe: Recipe) -> int:
    """Return how many different contents have evidence."""
    kept = has_evidence(found.signals, recipe)
    return len({row["content"] for row, keeps in zip(found.rows, kept, strict=True) if keeps})
