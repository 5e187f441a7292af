"""Long-term memory in dictionaries, and what `recall.sql` and `nudges.sql` find in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from pinak_ray.embedding import Embedder, Vectors, decode_halfvec, encode_halfvec_one
from pinak_ray.recall.candidates import Candidates
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import DENSE, LEXICAL, Recipe
from pinak_ray.records.memories import Memory, Outcome
from pinak_ray.records.recall import Filters, RecallRequest
from pinak_ray.store.memories import index_text
from pinak_ray.testing.bm25 import bm25
from pinak_ray.testing.lexemes import lexemes

__all__ = ["LocalMemories"]


@dataclass(slots=True)
class _Stored:
    memory: Memory
    text: str
    terms: Counter[str]
    vector: Vectors | None


@dataclass(slots=True)
class LocalMemories:
    """The memories of every namespace of one twin."""

    embedder: Embedder
    clock: Callable[[], datetime]
    _stored: dict[int, dict[UUID, _Stored]] = field(default_factory=dict)

    def add(self, memory: Memory) -> bool:
        """Store a memory; returns False, and stores nothing, when its id is there already."""
        stored = self._stored.setdefault(memory.namespace_id, {})
        if memory.id in stored:
            return False
        text = index_text(memory.agent, memory.session, memory.content)
        vector = None if memory.vector is None else decode_halfvec(memory.vector)
        stored[memory.id] = _Stored(memory, text, lexemes(text), vector)
        return True

    async def embed(self, namespace_id: int) -> None:
        """Give every memory of the namespace its vector, as the Indexer would in its own time."""
        waiting = [one for one in self._stored.get(namespace_id, {}).values() if one.vector is None]
        if waiting:
            vectors = await self.embedder.embed([one.text for one in waiting])
            for one, vector in zip(waiting, vectors, strict=True):
                one.vector = decode_halfvec(encode_halfvec_one(vector))

    def candidates(
        self, namespace_id: int, request: RecallRequest, recipe: Recipe, vector: bytes | None
    ) -> Candidates:
        """Return the union of the best by each signal; `vector` is the query's, or None."""
        stored = self._all(namespace_id)
        passing = np.array([self._passes(one, request.filters) for one in stored], dtype=np.bool)
        signals: dict[str, Scores] = {
            DENSE: _cosines(stored, vector),
            LEXICAL: bm25(lexemes(request.query), [one.terms for one in stored]),
        }
        best = {
            name: _best(np.where(passing, signals[name], np.nan), recipe.limit(name, request.k))
            for name in recipe.weights
        }
        found = sorted(set().union(*best.values()))
        return Candidates(
            [stored[at].memory._asdict() for at in found],
            {name: signals[name][found] for name in recipe.weights},
            {name: len(places) for name, places in best.items()},
        )

    def failures(self, namespace_id: int, text: str, vector: bytes) -> list[dict[str, Any]]:
        """Return the living failures, each with its cosine and its BM25 for an intent."""
        stored = self._all(namespace_id)
        cosines = _cosines(stored, vector)
        words = np.nan_to_num(bm25(lexemes(text), [one.terms for one in stored]), nan=0.0)
        failed = Filters(outcome=Outcome.FAILURE)
        return [
            {**one.memory._asdict(), "similarity": float(cosine), "lexical": float(word)}
            for one, cosine, word in zip(stored, cosines, words, strict=True)
            if self._passes(one, failed)
        ]

    def _all(self, namespace_id: int) -> list[_Stored]:
        """Return the namespace's memories in order of their ids, which breaks ties."""
        stored = self._stored.get(namespace_id, {})
        return [stored[id_] for id_ in sorted(stored)]

    def _passes(self, one: _Stored, filters: Filters) -> bool:
        memory = one.memory
        return (
            (memory.expires_at is None or memory.expires_at > self.clock())
            and (not filters.layers or memory.layer in filters.layers)
            and (not filters.agents or memory.agent in filters.agents)
            and (not filters.sessions or memory.session in filters.sessions)
            and set(filters.tags) <= set(memory.tags)
            and filters.outcome in (None, memory.outcome)
            and (filters.since is None or memory.occurred_at >= filters.since)
            and (filters.until is None or memory.occurred_at < filters.until)
        )


def _cosines(stored: list[_Stored], vector: bytes | None) -> Scores:
    """Return each memory's cosine to the query, shape (n,); NaN where either has no vector."""
    scores = np.full(len(stored), np.nan)
    if vector is None:
        return scores
    query = decode_halfvec(vector)
    query = query / np.linalg.norm(query)
    for at, one in enumerate(stored):
        if one.vector is not None:
            scores[at] = one.vector @ query / np.linalg.norm(one.vector)
    return scores


def _best(scores: Scores, limit: int) -> list[int]:
    """Return the places of the `limit` highest known scores; of equals the earlier place."""
    known = np.flatnonzero(~np.isnan(scores))
    order = known[np.argsort(-scores[known], kind="stable")]
    return [int(at) for at in order[:limit]]
