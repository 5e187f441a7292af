"""Long-term memory in dictionaries, and what `recall.sql` and `nudges.sql` find in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from pinak_ray.embedding import Embedder, Vectors, decode_halfvec, encode_halfvec_one
from pinak_ray.recall.candidates import Candidates
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL, Recipe
from pinak_ray.records.memories import Memory, Outcome
from pinak_ray.records.recall import Filters, RecallRequest
from pinak_ray.store.memories import index_text
from pinak_ray.store.windows import Window, windows_of
from pinak_ray.testing.bm25 import bm25
from pinak_ray.testing.lexemes import lexemes

__all__ = ["LocalMemories"]


@dataclass(slots=True)
class _Stored:
    memory: Memory
    text: str
    terms: Counter[str]
    vector: Vectors | None
    window: Window | None = None
    """What was said around it; None outside of a session."""
    window_vector: Vectors | None = None


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
        for one, vector in zip(waiting, await self._vectors(o.text for o in waiting), strict=True):
            one.vector = vector
        changed = self._look_around(namespace_id)
        dense = await self._vectors(window.dense for _, window in changed)
        for (one, window), vector in zip(changed, dense, strict=True):
            one.window, one.window_vector = window, vector

    async def _vectors(self, texts: Iterable[str]) -> list[Vectors]:
        vectors = await self.embedder.embed(list(texts))
        return [decode_halfvec(encode_halfvec_one(vector)) for vector in vectors]

    def _look_around(self, namespace_id: int) -> list[tuple[_Stored, Window]]:
        """Return the entries of sessions whose window is new or has changed: here all settle."""
        sessions: dict[str, list[_Stored]] = defaultdict(list)
        for one in self._all(namespace_id):
            if one.memory.session is not None:
                sessions[one.memory.session].append(one)
        return [
            (one, window)
            for entries in sessions.values()
            for one, window in zip(
                entries,
                windows_of([e.memory.id for e in entries], [e.text for e in entries]),
                strict=True,
            )
            if one.window != window
        ]

    def candidates(
        self, namespace_id: int, request: RecallRequest, recipe: Recipe, vector: bytes | None
    ) -> Candidates:
        """Return the union of the best by each signal; `vector` is the query's, or None."""
        stored = self._all(namespace_id)
        passing = np.array([self._passes(one, request.filters) for one in stored], dtype=np.bool)
        signals = _signals(stored, lexemes(request.query), vector)
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
        cosines = _cosines([one.vector for one in stored], vector)
        words = np.nan_to_num(bm25(lexemes(text), [one.terms for one in stored]), nan=0.0)
        failed = Filters(outcome=Outcome.FAILURE)
        return [
            {
                **one.memory._asdict(),
                "similarity": float(cosine),
                "lexical": float(word),
                "documents": len(stored),
            }
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


def _signals(stored: list[_Stored], query: Counter[str], vector: bytes | None) -> dict[str, Scores]:
    """Return every signal's scores; outside of a session a memory is its own window."""
    own = [one.terms for one in stored]
    around = [one.terms if one.window is None else lexemes(one.window.lexical) for one in stored]
    return {
        DENSE: _cosines([one.vector for one in stored], vector),
        LEXICAL: bm25(query, own),
        WINDOW_DENSE: _cosines(
            [one.vector if one.window_vector is None else one.window_vector for one in stored],
            vector,
        ),
        WINDOW_LEXICAL: bm25(query, around, corpus=own),
    }


def _cosines(vectors: Sequence[Vectors | None], vector: bytes | None) -> Scores:
    """Return each vector's cosine to the query, shape (n,); NaN where either is missing."""
    scores = np.full(len(vectors), np.nan)
    if vector is None:
        return scores
    query = decode_halfvec(vector)
    query = query / np.linalg.norm(query)
    for at, known in enumerate(vectors):
        if known is not None:
            scores[at] = known @ query / np.linalg.norm(known)
    return scores


def _best(scores: Scores, limit: int) -> list[int]:
    """Return the places of the `limit` highest known scores; of equals the earlier place."""
    known = np.flatnonzero(~np.isnan(scores))
    order = known[np.argsort(-scores[known], kind="stable")]
    return [int(at) for at in order[:limit]]
