"""Scoring: what a recipe makes of each candidate, by fusion or by learned weights.

`score` gives everything that a ranking, a trace or a calibration needs: the scores, and by name the
raw values (cosine, BM25, flags, features) with what each adds; a score is the sum of these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from pinak_ray.language.named_agents import named_agent
from pinak_ray.language.named_dates import named_dates
from pinak_ray.language.roles import only_asks
from pinak_ray.recall.fusion import (
    Scores,
    fuse_borda,
    fuse_combmnz,
    fuse_linear,
    fuse_ranks,
    fuse_zscores,
    known_or,
)
from pinak_ray.recall.learned.features import features_of
from pinak_ray.recall.learned.weights import learned_weights
from pinak_ray.recall.recipes import AGENT, DATE, LEXICAL, QUESTION, WINDOW_LEXICAL, Fusion, Recipe
from pinak_ray.records.memory.asker import local
from pinak_ray.records.memory.rows import Row

__all__ = ["Scored", "has_evidence", "is_learned", "score"]


class Scored(NamedTuple):
    """The scores of n candidates, shape (n,), and what they are made of, by name."""

    fusion: str
    scores: Scores
    weights: Mapping[str, float]
    values: Mapping[str, Scores]
    """Raw values, shape (n,) each; NaN where there is none."""
    contributions: Callable[[], Mapping[str, Scores]]
    """What each adds to the score; asked for by a trace alone."""


def score(
    rows: Sequence[Row],
    signals: dict[str, Scores],
    recipe: Recipe,
    query: str,
    now: datetime,
) -> Scored:
    """Score the candidates by the recipe; `now` is the asker's moment, in their zone."""
    if is_learned(rows, recipe):
        return _learned(rows, signals, query, now)
    flags = _flags(rows, recipe, query, now)
    weights = recipe.signal_weights()
    scores = _fused(signals, recipe)
    for name, held in flags.items():
        scores = scores + weights[name] * held

    def contributions() -> dict[str, Scores]:
        shares = {name: _fused(signals, _alone(name, signals, recipe)) for name in signals}
        return shares | {name: weights[name] * held for name, held in flags.items()}

    return Scored(recipe.fusion, scores, weights, {**signals, **flags}, contributions)


def is_learned(rows: Sequence[Row], recipe: Recipe) -> bool:
    """Tell whether learned weights score these: most of them were said in a session.

    What they know of talk costs 1 to 3 points of R@10 among facts and documents.
    """
    if not recipe.learned:
        return False
    return 2 * sum(row["session"] is not None for row in rows) > len(rows)


def _learned(
    rows: Sequence[Row], signals: Mapping[str, Scores], query: str, now: datetime
) -> Scored:
    weights = learned_weights()
    features = features_of(rows, signals, query, now)
    # Against the candidates' mean: what all have alike adds nothing. Sorted, for a sum rounds by
    # the order of its parts.
    centre = np.sort(features, axis=0).sum(axis=0) / max(len(rows), 1)
    parts = (features - centre) * np.array(list(weights.values()))
    columns = dict(zip(weights, features.T, strict=True))
    return Scored(
        Fusion.LEARNED,
        parts.sum(axis=1),
        weights,
        # A signal's own value says more to a reader than its z-score, which adds as much.
        columns | dict(signals),
        lambda: dict(zip(weights, parts.T, strict=True)),
    )


def _alone(name: str, signals: Mapping[str, Scores], recipe: Recipe) -> Recipe:
    """Return the recipe with one signal's weight alone: every fusion is linear in its weights."""
    weights = {**dict.fromkeys(signals, 0.0), name: recipe.weights[name]}
    return replace(recipe, weights=weights)


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
        flags[QUESTION] = [only_asks(row["agent"], row["content"]) for row in rows]
    return {name: np.array(held, dtype=np.float64) for name, held in flags.items()}


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
        case Fusion.LEARNED:
            raise AssertionError("no recipe names it: it depends on the candidates")


def _without_gaps(name: str, scores: Scores) -> Scores:
    return known_or(scores, 0.0) if name in (LEXICAL, WINDOW_LEXICAL) else scores


def has_evidence(
    signals: dict[str, Scores], recipe: Recipe
) -> np.ndarray[tuple[int], np.dtype[np.bool]]:
    """Tell of each candidate whether any word or meaning of it bears on the query."""
    kept = np.zeros(len(next(iter(signals.values()))), dtype=np.bool)
    # A comparison with NaN is false: what is unknown is no evidence.
    for name, scores in signals.items():
        if name in (LEXICAL, WINDOW_LEXICAL):
            kept |= scores > 0
        else:
            kept |= scores >= recipe.min_similarity
    return kept
