"""The Recaller: a question in, the memories that answer it out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from pinak_ray.concurrency.ahead import ahead
from pinak_ray.embedding import (
    Embedder,
    check_texts,
    decode_halfvec,
    embed_queries,
    encode_halfvec_one,
)
from pinak_ray.language.named_agents import named_agent
from pinak_ray.language.named_dates import named_dates
from pinak_ray.recall.candidates import Best, Candidates, Search
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
from pinak_ray.recall.paging import page, turn_page
from pinak_ray.recall.recipes import (
    AGENT,
    DATE,
    DENSE,
    LEXICAL,
    QUESTION,
    WINDOW_LEXICAL,
    Fusion,
    Recipe,
    recipe_for,
)
from pinak_ray.recall.trace import Stopwatch, signals_of, timed, trace_of
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput, WrongDimension
from pinak_ray.records.memory.recall import RecallRequest, RecallResult, Signal, Trace
from pinak_ray.store.database import Database
from pinak_ray.store.memories.hits import Row, hit_from_row
from pinak_ray.store.vectors.vector_cache import VectorCache

__all__ = ["Answer", "Asked", "Begun", "Recaller", "asked_of", "rank"]


class Answer(NamedTuple):
    """A result, and when the first memory that bore on it expires; None: no such memory does."""

    result: RecallResult
    holds_until: datetime | None


class Asked(NamedTuple):
    """A query's vector in halfvec form, if it needs one; or why the answer does without."""

    vector: bytes | None
    degraded: str | None = None


class Recaller:
    """Answers recalls of any namespace, each under its own row-level security.

    Holds nothing but its parts, which it does not own: whoever opened them closes them. `model_id`
    is the row of `embedding_models` that `embedder` belongs to.
    """

    __slots__ = ("_database", "_embedder", "_vectors", "model_id")

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        model_id: int,
        vectors: VectorCache | None = None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self.model_id = model_id

    def __repr__(self) -> str:
        return f"<Recaller(model={self._embedder.model.name!r}, model_id={self.model_id})>"

    async def recall(self, namespace_id: int, request: RecallRequest) -> RecallResult:
        """Return at most `request.k` memories that bear on the query, best first.

        A memory without any evidence (no word of the query, no similarity) is never returned; one
        that is not embedded yet is found by its words. Raises InvalidInput for an unknown recipe,
        WrongDimension for a foreign vector, Unavailable where the embedder or the database is down.
        """
        async with self.begin(namespace_id, request) as begun:
            with begun.watch.step("embed"):
                asked = await self.query_vector(request)
            answer = await begun.answer(asked)
        return timed(answer.result, begun.watch)

    @asynccontextmanager
    async def begin(self, namespace_id: int, request: RecallRequest) -> AsyncIterator["Begun"]:
        """Begin a search by the query's words; if no answer is wanted in the end, it is cancelled.

        Raises InvalidInput for an unknown recipe.
        """
        search = Search(
            self._database,
            namespace_id,
            self.model_id,
            request,
            recipe_for(request),
            self._vectors,
        )
        watch = Stopwatch()
        async with ahead(_words(search, watch)) as words:
            yield Begun(search, words, watch)

    async def query_vector(self, request: RecallRequest) -> Asked:
        """Return the query's vector, none where the recipe compares none.

        Nor where the embedder has none to give and words can answer without. Raises what `recall`
        raises.
        """
        recipe = recipe_for(request)
        if request.vector is not None:
            given = len(decode_halfvec(request.vector))
            wanted = self._embedder.model.dimension
            if given != wanted:
                raise WrongDimension(f"the vector has {given} numbers, the model has {wanted}")
        if DENSE not in recipe.weights or request.vector is not None:
            return Asked(request.vector if DENSE in recipe.weights else None)
        return await asked_of(self._embedder, request.query, recipe)


async def asked_of(embedder: Embedder, query: str, recipe: Recipe) -> Asked:
    """Embed a query; where that fails and the recipe has words, say so and go by them alone."""
    check_texts([query])
    try:
        return Asked(encode_halfvec_one((await embed_queries(embedder, [query]))[0]))
    except (EmbedderUnavailable, InvalidInput) as error:
        if LEXICAL not in recipe.weights:
            raise
        return Asked(None, f"by words alone: {error}")


class Begun(NamedTuple):
    """A search that looks for words already, while its query is embedded."""

    search: Search
    words: "asyncio.Task[Best]"
    watch: Stopwatch

    async def answer(self, asked: Asked) -> Answer:
        """Return the answer; `asked` is the request's `query_vector`."""
        search, request = self.search, self.search.request
        found = await search.listed()
        if found is None:
            with self.watch.step("sql"):
                found = await search.candidates(asked.vector, self.words)
        with self.watch.step("fuse"):
            result = rank(found, recipe=search.recipe, request=request)
        if asked.degraded is not None:
            result = replace(result, degraded=asked.degraded)
        # What was believed then does not depend on what expires now.
        ends = () if request.filters.as_of else (row["expires_at"] for row in found.rows)
        return Answer(result, min(filter(None, ends), default=None))


async def _words(search: Search, watch: Stopwatch) -> Best:
    with watch.step("words"):
        return await search.words()


def rank(found: Candidates, *, recipe: Recipe, request: RecallRequest) -> RecallResult:
    """Return the request's page of the candidates, best first, and its trace if asked for."""
    flags = _flags(found.rows, recipe, request.query)
    weights = recipe.signal_weights()
    scores = _fused(found.signals, recipe)
    for name, held in flags.items():
        scores = scores + weights[name] * held
    kept = _has_evidence(found.signals, recipe)
    floor = recipe.min_score if request.min_score is None else request.min_score
    if floor is not None:
        kept &= scores >= floor
    # All that a model does not know has one vector: of equals, what says the query itself is first.
    keys = [(row["content"] != request.query, row["id"]) for row in found.rows]
    order = best_first(scores, keys)
    if found.turn is None:
        chosen, cursor = page([at for at in order if kept[at]], found.rows, request)
    else:
        above = {at for at in order if kept[at]}
        chosen, cursor = turn_page(found.turn, above, found.rows, request)
    trace: Trace | None = None
    explained: list[tuple[Signal, ...]] = [()] * len(chosen)
    if request.trace:
        signals = {**found.signals, **flags}
        shares = _contributions(found.signals, recipe)
        shares |= {name: weights[name] * held for name, held in flags.items()}
        trace = trace_of(recipe, found.counts, fused=len(kept), kept=int(kept.sum()), floor=floor)
        explained = signals_of(signals, weights, shares, chosen)
    hits = tuple(
        hit_from_row(found.rows[at], float(scores[at]), signals=said)
        for at, said in zip(chosen, explained, strict=True)
    )
    return RecallResult(hits, trace, cursor)


def _contributions(signals: dict[str, Scores], recipe: Recipe) -> dict[str, Scores]:
    """Return what each signal adds to the fused score: every fusion is linear in its weights."""
    return {
        name: _fused(
            signals,
            replace(recipe, weights={**dict.fromkeys(signals, 0.0), name: recipe.weights[name]}),
        )
        for name in signals
    }


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
