"""Ranking: candidates with their signals in, the page of a recall out, explained if asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np

from pinak_ray.embedding import Knows
from pinak_ray.language.named_agents import named_agent
from pinak_ray.language.named_dates import named_dates
from pinak_ray.language.roles import is_asking
from pinak_ray.recall.copies import grouped, shows_copies_once
from pinak_ray.recall.fusion import (
    Scores,
    best_first,
    fuse_borda,
    fuse_combmnz,
    fuse_linear,
    fuse_ranks,
    fuse_zscores,
    known_or,
)
from pinak_ray.recall.paging import Turn, page, turn_page
from pinak_ray.recall.recipes import (
    AGENT,
    DATE,
    LEXICAL,
    QUESTION,
    RECENCY,
    WINDOW_LEXICAL,
    Fusion,
    Recipe,
)
from pinak_ray.recall.relevance.ranked import relevances
from pinak_ray.recall.trace import signals_of, trace_of
from pinak_ray.records.memory.asker import local
from pinak_ray.records.memory.recall import RecallRequest, RecallResult, Signal, Trace
from pinak_ray.records.memory.rows import Row, hit_from_row

__all__ = ["Candidates", "contents_with_evidence", "rank"]

_QUESTION_MARKS = ("?", "？", "؟")


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
    flags = _flags(found.rows, recipe, request.query, now)
    weights = recipe.signal_weights()
    scores = _fused(found.signals, recipe)
    for name, held in flags.items():
        scores = scores + weights[name] * held
    kept = _has_evidence(found.signals, recipe)
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
        chances = relevances(ranked, found.rows, {**found.signals, **flags}, request, knows)
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
        signals = {**found.signals, **flags}
        shares = _contributions(found.signals, recipe)
        shares |= {name: weights[name] * held for name, held in flags.items()}
        trace = replace(
            trace_of(recipe, found.counts, fused=len(kept), kept=len(ranked), floor=floor),
            min_relevance=request.min_relevance,
        )
        explained = signals_of(signals, weights, shares, chosen)
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
    kept = _has_evidence(found.signals, recipe)
    return len({row["content"] for row, keeps in zip(found.rows, kept, strict=True) if keeps})


def _contributions(signals: dict[str, Scores], recipe: Recipe) -> dict[str, Scores]:
    """Return what each signal adds to the fused score: every fusion is linear in its weights."""
    return {
        name: _fused(
            signals,
            replace(recipe, weights={**dict.fromkeys(signals, 0.0), name: recipe.weights[name]}),
        )
        for name in signals
    }


def _flags(rows: Sequence[Row], recipe: Recipe, query: str, now: datetime) -> dict[str, Scores]:
    """Return what is added as it is: 1 where it holds of a memory, else 0, shape (n,) each."""
    flags: dict[str, list[bool]] = {}
    if recipe.agent_bonus:
        named = named_agent(query, [row["agent"] for row in rows])
        flags[AGENT] = [row["agent"] == named for row in rows]
    if recipe.date_bonus:
        dates = named_dates(query, now)
        flags[DATE] = [
            dates is not None and dates.matches(local(row["occurred_at"], now.tzinfo))
            for row in rows
        ]
    if recipe.question_malus:
        flags[QUESTION] = [_only_asks(row) for row in rows]
    return {name: np.array(held, dtype=np.float64) for name, held in flags.items()}


def _only_asks(row: Row) -> bool:
    """Tell whether an entry is a question that an entry of somebody else answers.

    Whoever uses an assistant says what is so first, and asks then ("I use Flask 2.3. How ...?").
    """
    return row["content"].rstrip().endswith(_QUESTION_MARKS) and not is_asking(row["agent"])


def _fused(signals: dict[str, Scores], recipe: Recipe) -> Scores:
    match recipe.fusion:
        case Fusion.ZSCORE:
            # A word that does not occur is a known 0; a vector that is not there yet is unknown.
            return fuse_zscores(
                {name: _without_gaps(name, scores) for name, scores in signals.items()},
                recipe.weights,
            )
        case Fusion.RRF:
            return fuse_ranks(signals, recipe.weights, k=recipe.rrf_k)
        case Fusion.LINEAR:
            return fuse_linear(signals, recipe.weights)
        case Fusion.COMBMNZ:
            return fuse_combmnz(signals, recipe.weights)
        case Fusion.BORDA:
            return fuse_borda(signals, recipe.weights)
        case Fusion.NONE:
            (scores,) = signals.values()
            return known_or(scores, 0.0)


def _without_gaps(name: str, scores: Scores) -> Scores:
    return known_or(scores, 0.0) if name in (LEXICAL, WINDOW_LEXICAL) else scores


def _has_evidence(
    signals: dict[str, Scores], recipe: Recipe
) -> np.ndarray[tuple[int], np.dtype[np.bool]]:
    kept = np.zeros(len(next(iter(signals.values()))), dtype=np.bool)
    # A comparison with NaN is false: what is unknown is no evidence.
    for name, scores in signals.items():
        if name in (LEXICAL, WINDOW_LEXICAL):
            kept |= scores > 0
        else:
            kept |= scores >= recipe.min_similarity
    return kept
