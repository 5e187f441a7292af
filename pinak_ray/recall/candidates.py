"""Candidates: each signal's best memories, with every signal of each.

What shares words with the query needs no vector of it, so that `words` runs while it is embedded.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from pinak_ray.language.analysis import phrase, query_terms
from pinak_ray.recall.fusion import Scores, known_or
from pinak_ray.recall.paging import turn_of
from pinak_ray.recall.ranking import Candidates
from pinak_ray.recall.recipes import (
    DENSE,
    LEXICAL,
    PHRASE,
    RECENCY,
    WINDOW_DENSE,
    WINDOW_LEXICAL,
    Recipe,
)
from pinak_ray.records.memory.recall import Filters, RecallRequest
from pinak_ray.records.memory.rows import Row
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.indexing import OWN_TEXT
from pinak_ray.store.indexing.windows import WINDOW
from pinak_ray.store.memories.lexemes import phrase_query
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.vector_cache import NOTHING_KNOWN, Known, VectorCache

__all__ = [
    "Best",
    "Search",
    "filter_arguments",
]


class Best(NamedTuple):
    """The best by own text, and by the window's."""

    own: Sequence[UUID] = ()
    windows: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of one namespace, and by which recipe; each step is a statement of its own."""

    database: Database
    namespace_id: int
    model_id: int
    request: RecallRequest
    recipe: Recipe
    vectors: VectorCache | None = None
    """What these hold is compared here, and all others by the database."""

    async def words(self) -> Best:
        """Return what shares words with the query, as far as the recipe asks for it."""
        own, windows = self._limits(LEXICAL, WINDOW_LEXICAL)
        if not (own or windows):
            return Best()
        async with self.reading() as connection:
            (found,) = await connection.fetch(
                query("recall", "words"),
                *(self._terms, own, windows, *self._filters),
                own if self.recipe.is_walked else 0,
            )
        return Best(*found)

    async def candidates(self, vector: bytes | None, words: Awaitable[Best]) -> Candidates:
        """Return all that was found, also by meaning, with the recipe's signals.

        `vector` is the query's in halfvec form.
        """
        brought = await self._lists(vector, words)
        counts = {name: len(brought[name]) for name in self.recipe.weights}
        turn, ids = None, list(set().union(*brought.values()))
        if self.recipe.is_walked:
            (alone,) = counts
            ids = list(brought[alone][self.request.offset :])
            turn = turn_of(ids, self.request)
        rows, signals = await self.read(vector, ids)
        lasts = [brought[name][-1] for name in counts if brought[name]]
        return Candidates(rows, {name: signals[name] for name in counts}, counts, turn, lasts=lasts)

    async def lists(self, vector: bytes | None) -> dict[str, list[UUID]]:
        """Return what each signal brings, best first."""
        return await self._lists(vector, self.words())

    async def _lists(self, vector: bytes | None, words: Awaitable[Best]) -> dict[str, list[UUID]]:
        meaning = await self._meaning(vector)
        # Holding no connection: others' words may wait for it, whose own words wait for another.
        said = await words
        names = (LEXICAL, WINDOW_LEXICAL, DENSE, WINDOW_DENSE)
        return {name: list(ids) for name, ids in zip(names, (*said, *meaning), strict=True)}

    async def _meaning(self, vector: bytes | None) -> Best:
        own, windows = self._limits(DENSE, WINDOW_DENSE)
        if vector is None or not (own or windows):
            return Best()
        known_own, known_windows = await asyncio.gather(
            self._known(OWN_TEXT, vector, own), self._known(WINDOW, vector, windows)
        )
        async with self.reading() as connection:
            (found,) = await connection.fetch(
                query("recall", "meaning"),
                *(self.model_id, vector, own, windows),
                *known_own,
                *known_windows,
                *self._filters,
            )
        return Best(*found)

    async def read(
        self, vector: bytes | None, ids: Sequence[UUID]
    ) -> tuple[Sequence[Row], dict[str, Scores]]:
        """Return the memories of these ids that are still there, with their signals."""
        weights = self.recipe.weights
        held = self._similarities(vector, ids)
        async with self.reading() as connection:
            rows = await connection.fetch(
                query("recall", "read"),
                *(self.namespace_id, self.model_id, vector, ids, self._terms),
                *(LEXICAL in weights, WINDOW_LEXICAL in weights),
                (np.isnan(held) & (DENSE in weights)).tolist(),
                WINDOW_DENSE in weights,
            )
        names = (DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL)
        signals = {name: _column(rows, name) for name in names}
        place = {id_: at for at, id_ in enumerate(ids)}
        held = held[[place[row["id"]] for row in rows]]
        signals[DENSE] = known_or(held, signals[DENSE])
        # A memory without a window (it has no session, or it has not settled) is a window of one:
        # its own scores count twice.
        for window, own in ((WINDOW_DENSE, DENSE), (WINDOW_LEXICAL, LEXICAL)):
            signals[window] = known_or(signals[window], signals[own])
        return rows, signals

    async def listed(self) -> Candidates | None:
        """Return what a recipe lists by time; None for a recipe that compares."""
        arguments: tuple[Any, ...]
        offset = self.request.offset
        if RECENCY in self.recipe.weights:
            (limit,) = self._limits(RECENCY)
            statement, arguments = query("recall", "recent"), (limit - offset, offset)
        elif PHRASE in self.recipe.weights:
            said = self.request.query
            statement = query("recall", "exact")
            arguments = (said, phrase_query(phrase(said)), *self._limits(PHRASE), offset)
        else:
            return None
        async with self.database.reading(self.namespace_id) as connection:
            rows = await connection.fetch(statement, self.namespace_id, *arguments, *self._filters)
        counts = dict.fromkeys(self.recipe.weights, len(rows))
        signals = {name: _column(rows, name) for name in counts}
        turn = turn_of([row["id"] for row in rows], self.request)
        return Candidates(rows, signals, counts, turn)

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """Return a connection for statements that look up by key, whatever is asked."""
        # The functions plan what must be planned anew.
        return self.database.reading(self.namespace_id, generic_plans=True)

    def _limits(self, *names: str) -> tuple[int, ...]:
        return tuple(self.recipe.limit(name, self.request) for name in names)

    @property
    def _terms(self) -> list[str]:
        return query_terms(self.request.query)

    @property
    def _filters(self) -> tuple[Any, ...]:
        return filter_arguments(self.request.filters)

    async def _known(self, kind: int, vector: bytes, wanted: int) -> Known:
        """Return what is known of a query that nothing narrows: of what passes, too little is."""
        if self.vectors is None or self.request.filters != Filters():
            return NOTHING_KNOWN
        return await self.vectors.known(self.namespace_id, kind, vector, wanted)

    def _similarities(self, vector: bytes | None, ids: Sequence[UUID]) -> Scores:
        """Return the cosines of own texts that are known here; a window may be written anew."""
        if self.vectors is None or vector is None:
            return np.full(len(ids), np.nan)
        return self.vectors.similarities(self.namespace_id, OWN_TEXT, vector, ids)


def _column(rows: Sequence[Row], name: str) -> Scores:
    return np.array([row[name] for row in rows], dtype=np.float64)  # None becomes NaN


def filter_arguments(filters: Filters) -> tuple[Any, ...]:
    """Return the eleven fields of the database's `filters`; None for each that any passes."""
    return (
        list(filters.layers) or None,
        list(filters.agents) or None,
        list(filters.sessions) or None,
        list(filters.tags) or None,
        list(filters.any_tags) or None,
        list(filters.no_tags) or None,
        list(filters.entities) or None,
        filters.outcome,
        filters.since,
        filters.until,
        filters.as_of,
    )
