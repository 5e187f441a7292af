"""The Nudger: an intent in; a warning out where a past failure or a known fact bears on it."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

from pinak_ray.embedding import Embedder, Vectors, encode_halfvec_one, inner_products
from pinak_ray.nudges.contradictions import contradicted
from pinak_ray.nudges.cooldown import is_quiet
from pinak_ray.nudges.evidence import CANDIDATES, Evidence, find_evidence, find_words
from pinak_ray.nudges.failures import warnings
from pinak_ray.nudges.gate import SAFE_PROTOTYPES, harmless_start
from pinak_ray.records.nudges import (
    Intent,
    Nudge,
    NudgeKind,
    Strength,
    check_nudge_count,
    nudge_id,
)
from pinak_ray.records.operations import Intend
from pinak_ray.records.shown import QUOTED, shown
from pinak_ray.store.ahead import ahead
from pinak_ray.store.database import Database
from pinak_ray.store.indexing import OWN_TEXT
from pinak_ray.store.nudge_feedback import record_shown
from pinak_ray.store.standing_intents import StandingIntents
from pinak_ray.store.vector_cache import NOTHING_KNOWN, Known, VectorCache

__all__ = ["Nudger", "asserts", "strength_of", "weigh"]

# Evidence scores run from 0.45 (the floor) to 1.4. From 0.70 on the failure is about the same thing
# (26 of 28 were right); below 0.55 it is about the same kind of thing (5 of 7).
_HIGH = 0.70
_MEDIUM = 0.55
_WORD = re.compile(r"[a-z]+")


class Nudger:
    """Answers intents of any namespace, each under its own row-level security.

    Owns neither its database nor its embedder. The safe prototypes are embedded on first use.
    """

    __slots__ = (
        "_cooldown",
        "_database",
        "_embedder",
        "_first_use",
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
        self._first_use = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Nudger(model={self._embedder.model.name!r}, model_id={self._model_id})>"

    async def nudge(self, intend: Intend) -> tuple[Nudge, ...]:
        """Return at most `k` nudges, best first, and record that they were shown, unless it peeks.

        None unless the evidence says so: of a failure the gate too, and neither within its
        cool-down. Raises InvalidInput for an absurd `k`, Unavailable where a part does not answer.
        """
        check_nudge_count(intend.k)
        safe = await self._safe_prototypes()
        facts = asserts(intend.intent)
        async with ahead(find_words(self._database, intend, facts=facts)) as words:
            vector = (await self._embedder.embed([intend.intent.search_text]))[0]
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
        if intend.peek:
            return nudges
        if nudges:
            shown = {nudge.id: nudge.evidence[0].id for nudge in nudges}
            await record_shown(self._database, intend, shown)
        if self._standing is not None:
            self._standing.stand(intend.owner, intend.intent, encoded, safest)
        return nudges

    async def _known(self, namespace_id: int, vector: bytes) -> Known:
        if self._vectors is None:
            return NOTHING_KNOWN
        return await self._vectors.known(namespace_id, OWN_TEXT, vector, CANDIDATES, failures=True)

    async def _safe_prototypes(self) -> Vectors:
        async with self._first_use:
            if self._safe is None:
                self._safe = await self._embedder.embed(SAFE_PROTOTYPES)
        return self._safe


def asserts(intent: Intent) -> bool:
    """Return whether an intent can contradict a fact: reading and asking cannot."""
    return not harmless_start(_WORD.findall(intent.text.lower()))


def weigh(
    intend: Intend, evidence: Sequence[Evidence], *, safe_similarity: float
) -> tuple[Nudge, ...]:
    """Return at most `k` nudges for an intent, best first; so is the evidence given."""
    intent = intend.intent
    failures = [each for each in evidence if each.is_failure]
    warned = warnings(intent.search_text, failures, safe_similarity=safe_similarity, k=intend.k)
    nudges = [
        _nudge(intend, NudgeKind.FAILURE, failure, "This failed before", reason)
        for failure, reason in warned
    ]
    facts = [each for each in evidence if not each.is_failure] if asserts(intent) else []
    for fact, differs in contradicted(intent.statement, facts):
        says = f"This contradicts what is known ({differs})"
        reason = f"{differs}; {fact.reason}"
        nudges.append(_nudge(intend, NudgeKind.CONTRADICTION, fact, says, reason))
    shown = {each.row["id"]: each.shown for each in evidence}
    loud = [
        nudge
        for nudge in nudges
        if not is_quiet(nudge.id, nudge.strength, shown[nudge.evidence[0].id])
    ]
    return tuple(sorted(loud, key=lambda nudge: -nudge.score)[: intend.k])


def strength_of(score: float) -> Strength:
    """Return how strongly evidence of this score bears on the intent."""
    if score >= _HIGH:
        return Strength.HIGH
    return Strength.MEDIUM if score >= _MEDIUM else Strength.LOW


def _nudge(intend: Intend, kind: NudgeKind, evidence: Evidence, says: str, reason: str) -> Nudge:
    hit, owner = evidence.hit(), intend.owner
    return Nudge(
        kind,
        strength_of(evidence.score),
        f"{shown(says)}: {shown(hit.content, QUOTED)}",
        shown(reason),
        evidence.score,
        (hit,),
        nudge_id(owner.namespace_id, owner.name, hit.id, intend.intent),
    )
