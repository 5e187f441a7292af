"""The Nudger: an intent in, a warning out where a past failure bears on it."""

import asyncio

from pinak_ray.embedding import Embedder, Vectors, encode_halfvec_one
from pinak_ray.nudges.failures import Failure, choose, similar_failures
from pinak_ray.nudges.gate import SAFE_PROTOTYPES, THRESHOLD, GateResult, judge
from pinak_ray.records.nudges import Intent, Nudge, NudgeKind, Strength, check_nudge_count
from pinak_ray.store.database import Database

__all__ = ["Nudger", "strength_of", "weigh"]

_QUOTED = 200  # characters of the failure in the message; the evidence holds it whole
# Evidence scores run from 0.45 (the floor) to 1.4. From 0.70 on the failure is about the same thing
# (26 of 28 were right); below 0.55 it is about the same kind of thing (5 of 7).
_HIGH = 0.70
_MEDIUM = 0.55


class Nudger:
    """Answers intents of any namespace, each under its own row-level security.

    Owns neither its database nor its embedder. The safe prototypes are embedded on first use.
    """

    __slots__ = ("_database", "_embedder", "_first_use", "_model_id", "_safe")

    def __init__(self, database: Database, embedder: Embedder, model_id: int) -> None:
        self._database = database
        self._embedder = embedder
        self._model_id = model_id
        self._safe: Vectors | None = None
        self._first_use = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Nudger(model={self._embedder.model.name!r}, model_id={self._model_id})>"

    async def nudge(self, namespace_id: int, intent: Intent, k: int = 1) -> tuple[Nudge, ...]:
        """Return at most `k` nudges, best first; none unless both gate and evidence say so.

        Raises InvalidInput for an absurd `k`, Unavailable where a part does not answer.
        """
        check_nudge_count(k)
        text = intent.search_text
        safe = await self._safe_prototypes()
        vector = (await self._embedder.embed([text]))[0]
        failures = await similar_failures(
            self._database,
            namespace_id,
            model_id=self._model_id,
            text=text,
            vector=encode_halfvec_one(vector),
        )
        return weigh(text, failures, safe_similarity=float((safe @ vector).max()), k=k)

    async def _safe_prototypes(self) -> Vectors:
        async with self._first_use:
            if self._safe is None:
                self._safe = await self._embedder.embed(SAFE_PROTOTYPES)
        return self._safe


def weigh(
    text: str, failures: list[Failure], *, safe_similarity: float, k: int
) -> tuple[Nudge, ...]:
    """Return at most `k` nudges for an intent; its failures are given best first."""
    if not failures:
        return ()
    gate = judge(
        text,
        failure_similarity=max(failure.similarity for failure in failures),
        safe_similarity=safe_similarity,
        best_words=max(failure.words for failure in failures),
    )
    if not gate.open:
        return ()
    return tuple(_nudge(failure, gate) for failure in choose(failures, k))


def strength_of(score: float) -> Strength:
    """Return how strongly evidence of this score bears on the intent."""
    if score >= _HIGH:
        return Strength.HIGH
    return Strength.MEDIUM if score >= _MEDIUM else Strength.LOW


def _nudge(failure: Failure, gate: GateResult) -> Nudge:
    hit = failure.hit()
    reason = (
        f"evidence {failure.score:.2f} (cosine {failure.similarity:.2f}, BM25 {failure.bm25:.1f});"
        f" gate {gate.score:.2f} of {THRESHOLD} ({'; '.join(gate.reasons)})"
    )
    message = f"This failed before: {hit.content[:_QUOTED]}"
    return Nudge(
        NudgeKind.FAILURE, strength_of(failure.score), message, reason, failure.score, (hit,)
    )
