"""Long-term memory in dictionaries, and what `recall.sql` and `nudges.sql` find in it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from pinak_ray.embedding import (
    Embedder,
    Vectors,
    decode_halfvec,
    encode_halfvec_one,
    similarity,
)
from pinak_ray.language.analysis import literal, phrase, words_of
from pinak_ray.language.indexed_texts import Window, index_text, windows_of
from pinak_ray.language.terms import Term
from pinak_ray.recall import recipes
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.ranking import Candidates
from pinak_ray.recall.recipes import Recipe
from pinak_ray.records.errors import IdempotencyMismatch, NotFound, Superseded
from pinak_ray.records.memory.memories import Layer, Memory, Outcome
from pinak_ray.records.memory.promotion import FindPromoted, Known, Sought, made_from
from pinak_ray.records.memory.recall import Filters, RecallRequest
from pinak_ray.records.memory.revisions import FoundMemories, Get, Revision, Version, found_memories
from pinak_ray.testing.bm25 import bm25, idf
from pinak_ray.testing.choosing import choose
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
    superseded_by: UUID | None = None
    superseded_at: datetime | None = None


@dataclass(slots=True)
class LocalMemories:
    """The memories of every namespace of one twin."""

    embedder: Embedder
    clock: Callable[[], datetime]
    _stored: dict[int, dict[UUID, _Stored]] = field(default_factory=dict)
    _keys: dict[UUID, UUID] = field(default_factory=dict)
    """By a key's id, the memory that was stored under it last."""
    _forgotten: set[tuple[int, UUID]] = field(default_factory=set)

    def add(self, memory: Memory) -> UUID | None:
        """Store a memory; return None, or the id under which it was stored before.

        Raises IdempotencyMismatch where its key stands for another one.
        """
        stored = self._stored.setdefault(memory.namespace_id, {})
        if memory.id in stored or (memory.namespace_id, memory.id) in self._forgotten:
            return memory.id
        if (held := self._under_key(memory)) is not None:
            return held
        text = index_text(memory.agent, memory.session, memory.content)
        vector = None if memory.vector is None else decode_halfvec(memory.vector)
        stored[memory.id] = _Stored(memory, text, lexemes(text), vector)
        if memory.write_key is not None:
            self._keys[memory.write_key.id] = memory.id
        return None

    def _under_key(self, memory: Memory) -> UUID | None:
        """Return what the memory's key stands for, if that lives; raises IdempotencyMismatch."""
        key = memory.write_key
        held = None if key is None else self._keys.get(key.id)
        if key is None or held is None or not self.has(memory.namespace_id, held):
            return None
        known = self._stored[memory.namespace_id][held].memory.write_key
        if known is None or known.says != key.says:
            raise IdempotencyMismatch
        return held

    def revise(self, revision: Revision) -> tuple[UUID, bool]:
        """Store a revision; return its id, and False where it was stored before under this id.

        Raises as the stack does.
        """
        memory, old_id = revision.memory, revision.memory_id
        namespace_id = memory.namespace_id
        stored = self._stored.setdefault(namespace_id, {})
        if memory.id in stored or (namespace_id, memory.id) in self._forgotten:
            return memory.id, False
        if (held := self._under_key(memory)) is not None:
            return held, False
        if not self.has(namespace_id, old_id):
            raise NotFound(f"there is no memory {old_id}")
        old = stored[old_id]
        if old.superseded_by is not None and self.has(namespace_id, old.superseded_by):
            raise Superseded(old_id, old.superseded_by)
        now = self.clock()
        self.add(revision.over(old.memory)._replace(created_at=now))
        old.superseded_by, old.superseded_at = memory.id, now
        self._drop_windows(namespace_id, old.memory.session)
        return memory.id, True

    def forget(self, namespace_id: int, memory_id: UUID) -> bool:
        """Remove a memory; returns False when there is none."""
        gone = self._stored.get(namespace_id, {}).pop(memory_id, None)
        if gone is not None:
            self._forgotten.add((namespace_id, memory_id))
            self._drop_windows(namespace_id, gone.memory.session)
        return gone is not None

    def _drop_windows(self, namespace_id: int, session: str | None) -> None:
        for one in self._stored[namespace_id].values():
            if one.memory.session == session:
                one.window = one.window_vector = None

    def get(self, operation: Get) -> FoundMemories:
        """Return memories by their ids, in their order."""
        namespace_id, ids = operation.namespace_id, operation.memory_ids
        there = [self._stored[namespace_id][id_] for id_ in ids if self.has(namespace_id, id_)]
        versions = (Version(one.memory, one.superseded_by, one.superseded_at) for one in there)
        return found_memories(ids, versions)

    def find_promoted(self, operation: FindPromoted) -> tuple[Known, ...]:
        """Return what of a promotion is there."""
        return tuple(self.known(operation.namespace_id, one) for one in operation.sought)

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
            if one.memory.session is not None and self._believed(one, None):
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
        signals = {name: _signal(name, stored, request.query, vector) for name in recipe.weights}
        orders = {
            name: _best(
                np.where(passing, scores, np.nan),
                len(stored),
                newest_first=name in (recipes.RECENCY, recipes.PHRASE),
            )
            for name, scores in signals.items()
        }
        memories = [one.memory for one in stored]
        found, turn, hidden = choose(orders, memories, recipe, request)
        return Candidates(
            [memories[at]._asdict() for at in found],
            {name: scores[found] for name, scores in signals.items()},
            {name: min(len(orders[name]), recipe.limit(name, request)) for name in orders},
            turn,
            hidden=hidden,
        )

    def passing(self, namespace_id: int, filters: Filters) -> dict[UUID, Memory]:
        """Return the memories that may answer, by id."""
        stored = self._all(namespace_id)
        return {one.memory.id: one.memory for one in stored if self._passes(one, filters)}

    def has(self, namespace_id: int, memory_id: UUID) -> bool:
        """Tell whether this memory is there and has not expired."""
        one = self._stored.get(namespace_id, {}).get(memory_id)
        expires_at = None if one is None else one.memory.expires_at
        return one is not None and (expires_at is None or expires_at > self.clock())

    def nearest(
        self, namespace_id: int, memory_id: UUID, *, k: int, least: float
    ) -> dict[UUID, float]:
        """Return the `k` memories most like one, with their similarity, none below `least`."""
        passing = self.passing(namespace_id, Filters())
        own, text = self._stored[namespace_id][memory_id].vector, passing[memory_id].content
        if own is None:
            return {}
        others = [id_ for id_ in passing if id_ != memory_id]
        vectors = [self._stored[namespace_id][id_].vector for id_ in others]
        cosines = _cosines(vectors, encode_halfvec_one(own))
        knows, near = self.embedder.knows, [at for at in _best(cosines, k) if cosines[at] >= least]
        likeness = {
            others[at]: similarity(float(cosines[at]), text, passing[others[at]].content, knows)
            for at in near
        }
        return {id_: how for id_, how in likeness.items() if how >= least}

    def resembling(self, namespace_id: int, text: str, vector: bytes) -> list[dict[str, Any]]:
        """Return the living failures, and the facts that share a word with an intent.

        Each has its cosine and its BM25 for it.
        """
        stored = self._all(namespace_id)
        cosines = _cosines([one.vector for one in stored], vector)
        failures = sum(one.memory.outcome is Outcome.FAILURE for one in stored)
        words = np.nan_to_num(bm25(lexemes(text), [one.terms for one in stored]), nan=0.0)
        facts = Filters(layers=(Layer.SEMANTIC, Layer.PROCEDURAL))
        return [
            {
                **one.memory._asdict(),
                "similarity": float(cosine),
                "lexical": float(word),
                "documents": len(stored),
                "failures": failures,
            }
            for one, cosine, word in zip(stored, cosines, words, strict=True)
            if self._passes(one, Filters() if one.memory.outcome is Outcome.FAILURE else facts)
            and (one.memory.outcome is Outcome.FAILURE or word > 0)
        ]

    def terms(self, namespace_id: int, text: str) -> dict[str, Term]:
        """Return the words of a text with their rarity, by lexeme."""
        documents = [one.terms for one in self._all(namespace_id)]
        return {
            lexeme: Term(word, idf(lexeme, documents)) for lexeme, word in words_of(text).items()
        }

    def beside(
        self, namespace_id: int, ids: Sequence[UUID], vector: bytes, terms: Set[str]
    ) -> list[dict[str, Any]]:
        """Return the memories of these ids with their cosine to a question, and which of its terms
        each has."""
        stored = self._stored.get(namespace_id, {})
        given = [stored[id_] for id_ in ids if id_ in stored]
        cosines = _cosines([one.vector for one in given], vector)
        now = self.clock()
        return [
            {
                **one.memory._asdict(),
                "superseded_by": one.superseded_by,
                "expired": one.memory.expires_at is not None and one.memory.expires_at <= now,
                "similarity": None if np.isnan(cosine) else float(cosine),
                "terms": terms & one.terms.keys(),
            }
            for one, cosine in zip(given, cosines, strict=True)
        ]

    def known(self, namespace_id: int, sought: Sought) -> Known:
        """Return what is there of a memory that an entry shall become."""
        stored = self._stored.get(namespace_id, {})
        current = stored.get(sought.memory_id)
        if current is None:
            passing = self.passing(namespace_id, Filters()).values()
            same = [one for one in passing if one.content == sought.content]
            oldest = min(same, key=lambda one: (one.created_at, one.id), default=None)
            return Known(same=None if oldest is None else oldest.id)
        while current.superseded_by in stored:
            current = stored[current.superseded_by]
        made = orjson.loads(current.memory.details).get("promoted")
        return Known(current.memory.id, made_from(orjson.dumps(made)))

    def _all(self, namespace_id: int) -> list[_Stored]:
        """Return the namespace's memories in order of their ids, which breaks ties."""
        stored = self._stored.get(namespace_id, {})
        return [stored[id_] for id_ in sorted(stored)]

    def _passes(self, one: _Stored, filters: Filters) -> bool:
        memory, tags = one.memory, set(one.memory.tags)
        return (
            self._believed(one, filters.as_of)
            and (not filters.layers or memory.layer in filters.layers)
            and (not filters.agents or memory.agent in filters.agents)
            and (not filters.sessions or memory.session in filters.sessions)
            and tags.issuperset(filters.tags)
            and (not filters.any_tags or not tags.isdisjoint(filters.any_tags))
            and tags.isdisjoint(filters.no_tags)
            and set(memory.entities).issuperset(filters.entities)
            and filters.outcome in (None, memory.outcome)
            and (filters.since is None or memory.occurred_at >= filters.since)
            and (filters.until is None or memory.occurred_at < filters.until)
        )

    def _believed(self, one: _Stored, as_of: datetime | None) -> bool:
        """Tell whether a memory held at a time, or holds now: neither superseded nor expired."""
        expires_at, superseded_at = one.memory.expires_at, one.superseded_at
        if as_of is None:
            return superseded_at is None and (expires_at is None or expires_at > self.clock())
        return (
            one.memory.created_at <= as_of
            and (superseded_at is None or superseded_at > as_of)
            and (expires_at is None or expires_at > as_of)
        )


def _signal(name: str, stored: list[_Stored], query: str, vector: bytes | None) -> Scores:
    """Return one signal's scores, shape (n,); outside of a session a memory is its own window."""
    own = [one.terms for one in stored]
    match name:
        case recipes.DENSE:
            return _cosines([one.vector for one in stored], vector)
        case recipes.LEXICAL:
            return bm25(lexemes(query), own)
        case recipes.WINDOW_DENSE:
            around = [one.vector if one.window is None else one.window_vector for one in stored]
            return _cosines(around, vector)
        case recipes.WINDOW_LEXICAL:
            said = [
                one.terms if one.window is None else lexemes(one.window.lexical) for one in stored
            ]
            return bm25(lexemes(query), said, corpus=own)
        case recipes.RECENCY:
            return _times(stored)
        case recipes.PHRASE:
            return np.where([_says(one, query) for one in stored], _times(stored), np.nan)
    raise AssertionError(f"no signal {name!r}")


def _times(stored: list[_Stored]) -> Scores:
    return np.array([one.memory.occurred_at.timestamp() for one in stored], dtype=np.float64)


def _says(one: _Stored, query: str) -> bool:
    """Tell whether it says the query literally, in any case and however spaced."""
    asked = phrase(query)
    return asked.may_be_in(one.terms) and asked.literal in literal(one.memory.content)


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


def _best(scores: Scores, limit: int, *, newest_first: bool = False) -> list[int]:
    """Return the places of the `limit` highest known scores; of equals the earlier place, or the
    later one, which is the newer memory's."""
    known = np.flatnonzero(~np.isnan(scores))
    if newest_first:
        known = known[::-1]
    order = known[np.argsort(-scores[known], kind="stable")]
    return [int(at) for at in order[:limit]]
