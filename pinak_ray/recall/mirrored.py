"""A search in this process's mirror of a namespace: PostgreSQL gives the rows that won."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

import numpy as np

from pinak_ray.embedding import decode_halfvec
from pinak_ray.language.analysis import query_terms
from pinak_ray.recall.fusion import Scores, known_or
from pinak_ray.recall.paging import turn_of
from pinak_ray.recall.ranking import Candidates
from pinak_ray.recall.recipes import DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL, Recipe
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.memory.rows import Row
from pinak_ray.store.mirrors.mirrors import Held, Mirrors, numbers_of
from pinak_ray.store.mirrors.namespace_mirror import Places, Said

__all__ = ["MirrorSearch"]

# Each time something was forgotten or revised between two steps; then the database answers.
_MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class MirrorSearch:
    """What is asked of one namespace's mirror, and by which recipe."""

    mirrors: Mirrors
    held: Held
    namespace_id: int
    request: RecallRequest
    recipe: Recipe
    number: int | None = None
    """The namespace's generation, where it was read after the question came."""

    async def followed(self) -> Sequence[str]:
        """Have the mirror be what the database is, and return the query's terms."""
        await self.mirrors.follow(self.namespace_id, self.held, number=self.number)
        return list(dict.fromkeys(query_terms(self.request.query)))

    async def candidates(
        self, vector: bytes | None, followed: Awaitable[Sequence[str]]
    ) -> Candidates | None:
        """Return all that was found, with the recipe's signals; None if the mirror cannot tell.

        `vector` is the query's in halfvec form.
        """
        terms = await followed
        for tried in range(_MOST_TRIES):
            if tried:
                await self.mirrors.follow(self.namespace_id, self.held)
            said = self._said(vector, terms)
            brought = {
                name: self.held.mirror.best(
                    said[name], self.recipe.limit(name, self.request), self.held.read_at
                )
                for name in self.recipe.weights
            }
            places = np.unique(np.concatenate(list(brought.values())))
            if self.recipe.is_walked:
                (places,) = brought.values()
                places = places[self.request.offset :]
            rows = await self.mirrors.read(self.namespace_id, self.held, places)
            if rows is not None:
                return self._found(rows, places, said, brought)
        return None

    def _said(self, vector: bytes | None, terms: Sequence[str]) -> dict[str, Said]:
        mirror, weights = self.held.mirror, self.recipe.weights
        nothing = Said(np.full(len(mirror), np.nan), np.empty(0, dtype=np.int32))
        said = dict.fromkeys((LEXICAL, WINDOW_LEXICAL, DENSE, WINDOW_DENSE), nothing)
        if terms and (LEXICAL in weights or WINDOW_LEXICAL in weights):
            said[LEXICAL], said[WINDOW_LEXICAL] = mirror.find_words(terms)
        if vector is not None:
            numbers = decode_halfvec(vector)
            unit = numbers / np.linalg.norm(numbers)
            said[DENSE], said[WINDOW_DENSE] = mirror.find_meaning(unit)
        return said

    def _found(
        self,
        rows: Sequence[Row],
        places: Places,
        said: dict[str, Said],
        brought: dict[str, Places],
    ) -> Candidates:
        """Put each row's signals beside it; the database has the rows in the order of their ids."""
        mirror = self.held.mirror
        turn = None
        if self.recipe.is_walked:
            turn = turn_of(mirror.uuids(places), self.request)
        at = places[numbers_of(rows)]
        signals: dict[str, Scores] = {name: each.scores[at] for name, each in said.items()}
        # A memory without a window (it has no session, or it has not settled) is a window of one:
        # its own scores count twice.
        for window, own in ((WINDOW_DENSE, DENSE), (WINDOW_LEXICAL, LEXICAL)):
            signals[window] = known_or(signals[window], signals[own])
        return Candidates(
            rows,
            {name: signals[name] for name in brought},
            {name: len(found) for name, found in brought.items()},
            turn,
            lasts=[id_ for found in brought.values() for id_ in mirror.uuids(found[-1:])],
        )
