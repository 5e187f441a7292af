"""The Nudger: an intent in; a warning out where a past failure or a known fact bears on it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from pinak_ray.concurrency.ahead import ahead
from pinak_ray.embedding import (
    Embedder,
    Remote,
    Vectors,
    check_texts,
    embed_soon,
    encode_halfvec_one,
    inner_products,
)
from pinak_ray.nudges.evidence import CANDIDATES
from pinak_ray.nudges.failures import FLOOR_BY_WORDS
from pinak_ray.nudges.gate import SAFE_PROTOTYPES
from pinak_ray.nudges.resembling import SameWords, find_evidence, find_words
from pinak_ray.nudges.weighing import asserts, weigh
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput
from pinak_ray.records.memory.nudges import (
    Nudge,
    check_nudge_count,
)
from pinak_ray.records.operations import Intend
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.nudge_feedback import record_shown
from pinak_ray.store.indexing.indexing import OWN_TEXT
from pinak_ray.store.standing_intents import StandingIntents
from pinak_ray.store.vectors.vector_cache import NOTHING_KNOWN, Known, VectorCache

__all__ = ["Nudger"]

# Waited for the prototypes of an endpoint, as long as for a query's vector.
_PATIENCE_S = 0.8
# As if all failures had been compared already, and none were near.
_LIKE_NOTHING = Known([], [], 1 << 62)


class Nudger:
    """Answers intents of any namespace, each under its own row-level security.

    Owns neither its database nor its embedder. The safe prototypes are embedded on first use.
    """

    __slots__ = (
        "_cooldown",
        "_database",
        "_embedder",
        "_loading",
        "_model_id",
        "_safe",
        "_standing",
        "_vectors",
    )

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        model_id: int,
        *,
        cooldown_s: float = 600.0,
        standing: StandingIntents | None = None,
        vectors: VectorCache | None = None,
    ) -> None:
        """`standing` keeps intents, so that agents hear of failures that are recorded later."""
        self._database = database
        self._embedder = embedder
        self._model_id = model_id
        self._cooldown = timedelta(seconds=cooldown_s)
        self._standing = standing
        self._vectors = vectors
        self._safe: Vectors | None = None
        self._loading: asyncio.Future[Vectors] | None = None

    def __repr__(self) -> str:
        return f"<Nudger(model={self._embedder.model.name!r}, model_id={self._model_id})>"

    async def nudge(self, intend: Intend) -> tuple[Nudge, ...]:
        """Return at most `k` nudges, best first, and record that they were shown, unless it peeks.

        None unless the evidence says so: of a failure the gate too, and neither within its
        cool-down. Raises InvalidInput for an absurd `k`, Unavailable where a part does not answer.
        """
        check_nudge_count(intend.k)
        check_texts([intend.intent.search_text])
        facts = asserts(intend.intent)
        async with ahead(find_words(self._database, intend, facts=facts)) as words:
            try:
                safe = await self._safe_prototypes()
                vector = (await embed_soon(self._embedder, [intend.intent.search_text]))[0]
            except (EmbedderUnavailable, InvalidInput):
                return await self._by_words(intend, await words)
            encoded = encode_halfvec_one(vector)
            compared = await self._known(intend.owner.namespace_id, encoded)
            evidence = await find_evidence(
                self._database,
                intend,
                model_id=self._model_id,
                vector=encoded,
                knows=self._embedder.knows,
                words=await words,
                cooldown=timedelta(0) if intend.repeat else self._cooldown,
                known=compared,
            )
        known = self._embedder.knows(intend.intent.search_text)
        safest = float(inner_products(safe, vector).max()) if known else 0.0
        nudges = weigh(intend, evidence, safe_similarity=safest)
        await self._record(intend, nudges)
        if self._standing is not None and not intend.peek:
            self._standing.stand(intend.owner, intend.intent, encoded, safest)
        return nudges

    async def _by_words(self, intend: Intend, words: SameWords) -> tuple[Nudge, ...]:
        """Warn without a vector of the intent: only of what shares most of the words that count.

        Nothing stands for failures to come: these are compared by meaning.
        """
        nothing = np.zeros(self._embedder.model.dimension, dtype=np.float32)
        nothing[0] = 1.0  # compared with nothing, see `_LIKE_NOTHING`, and then not counted
        evidence = await find_evidence(
            self._database,
            intend,
            model_id=self._model_id,
            vector=encode_halfvec_one(nothing),
            knows=self._embedder.knows,
            words=words,
            cooldown=timedelta(0) if intend.repeat else self._cooldown,
            known=_LIKE_NOTHING,
        )
        shared = [replace(each, similarity=0.0) for each in evidence]
        shared.sort(key=lambda each: (-each.score, each.row["id"]))
        nudges = weigh(intend, shared, safe_similarity=0.0, floor=FLOOR_BY_WORDS)
        await self._record(intend, nudges)
        return nudges

    async def _record(self, intend: Intend, nudges: Sequence[Nudge]) -> None:
        if nudges and not intend.peek:
            shown = {nudge.id: nudge.evidence[0].id for nudge in nudges}
            await record_shown(self._database, intend, shown)

    async def _known(self, namespace_id: int, vector: bytes) -> Known:
        if self._vectors is None:
            return NOTHING_KNOWN
        return await self._vectors.known(namespace_id, OWN_TEXT, vector, CANDIDATES, failures=True)

    async def _safe_prototypes(self) -> Vectors:
        """Return their vectors; an endpoint that is slow with them goes on meanwhile."""
        if self._safe is None:
            if self._loading is None or self._loading.done():
                embedding = self._embedder.embed(SAFE_PROTOTYPES)
                self._loading = asyncio.ensure_future(embedding)
            patience_s = _PATIENCE_S if isinstance(self._embedder, Remote) else None
            await asyncio.wait({self._loading}, timeout=patience_s)
            if not self._loading.done():
                raise EmbedderUnavailable("the embedding endpoint is at its first texts", True)
            self._safe = self._loading.result()
        return self._safe
