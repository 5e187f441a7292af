"""The Recaller: a question in, the memories that answer it out."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from pinak_ray.embedding import Embedder, decode_halfvec, encode_halfvec_one
from pinak_ray.recall.candidates import Candidates, find_candidates
from pinak_ray.recall.fusion import (
    Scores,
    best_first,
    fuse_borda,
    fuse_combmnz,
    fuse_linear,
    fuse_ranks,
    fuse_zscores,
)
from pinak_ray.recall.named_agents import named_agent
from pinak_ray.recall.named_dates import named_dates
from pinak_ray.recall.recipes import (
    AGENT,
    DATE,
    DENSE,
    LEXICAL,
    QUESTION,
    WINDOW_LEXICAL,
    Fusion,
    Recipe,
    recipe_named,
)
from pinak_ray.recall.trace import Stopwatch, signals_of
from pinak_ray.records.errors import WrongDimension
from pinak_ray.records.recall import RecallRequest, RecallResult, Trace
from pinak_ray.store.database import Database
from pinak_ray.store.hits import Row, hit_from_row

__all__ = ["Recaller", "rank"]


class Recaller:
    """Answers recalls of any namespace, each under its own row-level security.

    Holds nothing but its parts, which it does not own: whoever opened them closes them. `model_id`
    is the row of `embedding_models` that `embedder` belongs to.
    """

    __slots__ = ("_database", "_embedder", "_model_id")

    def __init__(self, database: Database, embedder: Embedder, model_id: int) -> None:
        self._database = database
        self._embedder = embedder
        self._model_id = model_id

    def __repr__(self) -> str:
        return f"<Recaller(model={self._embedder.model.name!r}, model_id={self._model_id})>"

    async def recall(self, namespace_id: int, request: RecallRequest) -> RecallResult:
        """Return at most `request.k` memories that bear on the query, best first.

        A memory without any evidence (no word of the query, no similarity) is never returned; one
        that is not embedded yet is found by its words. Raises InvalidInput for an unknown recipe,
        WrongDimension for a foreign vector, Unavailable where the embedder or the database is down.
        """
        recipe = recipe_named(request.recipe)
        watch = Stopwatch()
        with watch.step("embed"):
            vector = await self._query_vector(request, recipe)
        with watch.step("sql"):
            found = await find_candidates(
                self._database,
                namespace_id,
                model_id=self._model_id,
                request=request,
                recipe=recipe,
                vector=vector,
            )
        with watch.step("fuse"):
            result = rank(found, recipe=recipe, request=request)
        if not request.trace:
            return result
        weights = recipe.signal_weights()
        trace = Trace(recipe.name, weights, found.counts, watch.timings_ms)
        return RecallResult(result.hits, trace)

    async def _query_vector(self, request: RecallRequest, recipe: Recipe) -> bytes | None:
        if request.vector is not None:
            given = len(decode_halfvec(request.vector))
            wanted = self._embedder.model.dimension
            if given != wanted:
                raise WrongDimension(f"the vector has {given} numbers, the model has {wanted}")
        if DENSE not in recipe.weights:
            return None
        if request.vector is not None:
            return request.vector
        return encode_halfvec_one((await self._embedder.embed([request.query]))[0])


def rank(found: Candidates, *, recipe: Recipe, request: RecallRequest) -> RecallResult:
    """Return the hits among the candidates, best first, each with its signals if asked for."""
    if not found.rows:
        return RecallResult(())
    signals = dict(found.signals)
    scores = _fused(signals, recipe)
    weights = recipe.signal_weights()
    for name, flags in _flags(found.rows, recipe, request.query).items():
        signals[name] = flags
        scores = scores + weights[name] * flags
    kept = _has_evidence(found.signals, recipe)
    floor = recipe.min_score if request.min_score is None else request.min_score
    if floor is not None:
        kept &= scores >= floor
    order = best_first(scores, [row["id"] for row in found.rows])
    chosen = [at for at in order if kept[at]][: request.k]
    explained = signals_of(signals, chosen) if request.trace else [()] * len(chosen)
    return RecallResult(
        tuple(
            hit_from_row(found.rows[at], float(scores[at]), signals=said)
            for at, said in zip(chosen, explained, strict=True)
        )
    )


def _flags(rows: Sequence[Row], recipe: Recipe, query: str) -> dict[str, Scores]:
    """Return what is added as it is: 1 where it holds of a memory, else 0, shape (n,) each."""
    flags: dict[str, list[bool]] = {}
    if recipe.agent_bonus:
        named = named_agent(query, [row["agent"] for row in rows])
        flags[AGENT] = [row["agent"] == named for row in rows]
    if recipe.date_bonus:
        dates = named_dates(query, datetime.now(UTC))
        flags[DATE] = [dates is not None and dates.matches(row["occurred_at"]) for row in rows]
    if recipe.question_malus:
        flags[QUESTION] = [row["content"].rstrip().endswith("?") for row in rows]
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
            return np.nan_to_num(scores, nan=0.0)


def _without_gaps(name: str, scores: Scores) -> Scores:
    return np.nan_to_num(scores, nan=0.0) if name in (LEXICAL, WINDOW_LEXICAL) else scores


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
