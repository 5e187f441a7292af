"""The Recaller: a question in, the memories that answer it out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from pinak_ray.concurrency.ahead import ahead
from pinak_ray.embedding import (
    Embedder,
    Knows,
    decode_halfvec,
)
from pinak_ray.recall.candidates import Best, Search
from pinak_ray.recall.distinct import distinct_candidates, is_crowded
from pinak_ray.recall.mirrored import MirrorSearch
from pinak_ray.recall.query_vectors import Asked, asked_of
from pinak_ray.recall.ranking import Candidates, rank
from pinak_ray.recall.recipes import (
    DENSE,
    Recipe,
    recipe_for,
)
from pinak_ray.recall.reranking import Reranker, is_reranked, reranked
from pinak_ray.recall.trace import Stopwatch, timed
from pinak_ray.recall.zones import Zones
from pinak_ray.records.errors import WrongDimension
from pinak_ray.records.memory.recall import Filters, RecallRequest, RecallResult
from pinak_ray.store.database import Database
from pinak_ray.store.mirrors.mirrors import Mirrors
from pinak_ray.store.vectors.vector_cache import VectorCache

__all__ = ["Answer", "Begun", "Recaller"]


class Answer(NamedTuple):
    """A result, and when the first memory that bore on it expires; None: no such memory does."""

    result: RecallResult
    holds_until: datetime | None


class Recaller:
    """Answers recalls of any namespace, each under its own row-level security.

    Holds nothing but its parts, which it does not own: whoever opened them closes them. `model_id`
    is the row of `embedding_models` that `embedder` belongs to.
    """

    __slots__ = (
        "_database",
        "_embedder",
        "_mirrors",
        "_reranker",
        "_vectors",
        "_zones",
        "model_id",
    )

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        model_id: int,
        vectors: VectorCache | None = None,
        zones: Zones | None = None,
        mirrors: Mirrors | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._reranker = reranker
        self._vectors = vectors
        self._zones = Zones(database) if zones is None else zones
        self._mirrors = mirrors
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
    async def begin(
        self, namespace_id: int, request: RecallRequest, *, number: int | None = None
    ) -> AsyncIterator["Begun"]:
        """Begin what needs no vector; if no answer is wanted in the end, it is cancelled.

        `number` is the namespace's generation, if it was read for this request. Raises InvalidInput
        for an unknown recipe.
        """
        recipe = recipe_for(request)
        asks_anew = is_reranked(request, recipe, self._reranker)
        reranker = self._reranker if asks_anew else None
        search = Search(self._database, namespace_id, self.model_id, request, recipe, self._vectors)
        watch = Stopwatch()
        held = self._held(namespace_id, request, recipe, number)
        async with ahead(_begun(search, held, watch)) as ready:
            now = await self.moment(namespace_id, request)
            yield Begun(search, held, ready, watch, now, self._embedder.knows, reranker)

    async def moment(self, namespace_id: int, request: RecallRequest) -> datetime:
        """Return the asker's moment, in their zone or the namespace's."""
        return await self._zones.moment(namespace_id, request)

    def _held(
        self, namespace_id: int, request: RecallRequest, recipe: Recipe, number: int | None
    ) -> MirrorSearch | None:
        """Return a search in this process, where a mirror is here and knows enough to answer."""
        if self._mirrors is None or recipe.is_listed or request.filters != Filters():
            return None
        held = self._mirrors.of(namespace_id)
        if held is None:
            return None
        return MirrorSearch(self._mirrors, held, namespace_id, request, recipe, number)

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


class Begun(NamedTuple):
    """A search that began, while its query is embedded, with what needs no vector."""

    search: Search
    held: MirrorSearch | None
    ready: "asyncio.Task[Best | Sequence[str]]"
    watch: Stopwatch
    now: datetime
    """The asker's moment, in their zone."""
    knows: Knows
    reranker: Reranker | None = None
    """Where the request is to be reranked."""

    async def answer(self, asked: Asked) -> Answer:
        """Return the answer; `asked` is the request's `query_vector`."""
        search, request = self.search, self.search.request
        found = await search.listed()
        if found is None:
            with self.watch.step("sql"):
                found = await self._compared(asked.vector)
                if is_crowded(search, found):
                    found = await distinct_candidates(search, asked.vector)
        ranked = partial(rank, found, recipe=search.recipe, now=self.now, knows=self.knows)
        if self.reranker is None:
            with self.watch.step("fuse"):
                result = ranked(request=request)
        else:
            with self.watch.step("rerank"):
                result = await reranked(ranked, request, self.reranker)
        if asked.degraded is not None:
            result = replace(result, degraded=asked.degraded)
        # What was believed then does not depend on what expires now.
        ends = () if request.filters.as_of else (row["expires_at"] for row in found.rows)
        return Answer(result, min(filter(None, ends), default=None))

    async def _compared(self, vector: bytes | None) -> Candidates:
        ready: Any = self.ready
        if self.held is None:
            return await self.search.candidates(vector, ready)
        found = await self.held.candidates(vector, ready)
        if found is None:  # too much is forgotten and revised just now
            found = await self.search.candidates(vector, self.search.words())
        return found


async def _begun(
    search: Search, held: MirrorSearch | None, watch: Stopwatch
) -> Best | Sequence[str]:
    with watch.step("words"):
        return await (search.words() if held is None else held.followed())
