"""recall and intend over a twin's memories: its own candidates, everyone's ranking and gate."""

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from inspect import isawaitable
from typing import Any

from pinak_ray.embedding import embed_soon, encode_halfvec_one
from pinak_ray.nudges.evidence import scored
from pinak_ray.nudges.gate import SAFE_PROTOTYPES
from pinak_ray.nudges.weighing import weigh
from pinak_ray.recall.query_vectors import Asked, asked_of
from pinak_ray.recall.ranking import rank
from pinak_ray.recall.recipes import DENSE, LEXICAL, Recipe, recipe_for
from pinak_ray.recall.reranking import Reranker, is_reranked, reranked
from pinak_ray.recall.trace import Stopwatch, timed
from pinak_ray.records.errors import EmbedderUnavailable
from pinak_ray.records.memory.nudges import Nudge
from pinak_ray.records.memory.recall import RecallRequest, RecallResult
from pinak_ray.records.operations import Intend, Recall
from pinak_ray.records.wiring import Operation
from pinak_ray.testing.grades import LocalGrades
from pinak_ray.testing.links import LocalLinks
from pinak_ray.testing.memories import LocalMemories
from pinak_ray.testing.nudges import LocalNudges
from pinak_ray.testing.standing import LocalStanding
from pinak_ray.testing.templates import LocalTemplates

__all__ = ["LocalSearch"]


@dataclass(slots=True)
class LocalSearch:
    """What the Recaller and the Nudger are to a stack."""

    memories: LocalMemories
    zone: tzinfo
    reranker: Reranker | None = None
    links: LocalLinks = field(init=False)
    grades: LocalGrades = field(init=False)
    templates: LocalTemplates = field(init=False)
    nudges: LocalNudges = field(init=False)
    standing: LocalStanding = field(init=False)

    def __post_init__(self) -> None:
        self.links = LocalLinks(self.memories)
        self.grades = LocalGrades(self.memories)
        self.templates = LocalTemplates(self.memories)
        self.nudges = LocalNudges(self.memories, self.memories.clock)
        self.standing = LocalStanding(self.memories, self.nudges, self.memories.clock)

    async def carry_out(self, operation: Operation[Any]) -> Any:
        """Carry out one operation whose place is `search`: one of the parts has its method."""
        parts = (self, self.memories, self.links, self.grades, self.templates, self.nudges)
        call = operation.wiring.call
        answer = next(getattr(part, call) for part in parts if hasattr(part, call))(operation)
        return await answer if isawaitable(answer) else answer

    async def recall(self, operation: Recall) -> RecallResult:
        """Search the namespace's memories; raises InvalidInput for an unknown recipe."""
        namespace_id, request = operation.namespace_id, operation.request
        recipe = recipe_for(request)
        watch = Stopwatch()
        with watch.step("embed"):
            asked = await self._asked(namespace_id, request, recipe)
        with watch.step("scan"):
            found = self.memories.candidates(namespace_id, request, recipe, asked.vector)
        with watch.step("fuse"):
            now = request.asked_at(self.memories.clock(), self.zone)
            knows = self.memories.embedder.knows
            ranked = partial(rank, found, recipe=recipe, now=now, knows=knows)
            if is_reranked(request, recipe, self.reranker) and self.reranker is not None:
                result = await reranked(ranked, request, self.reranker)
            else:
                result = ranked(request=request)
        if asked.degraded is not None:
            result = replace(result, degraded=asked.degraded)
        return await self.links.expanded(namespace_id, request, timed(result, watch))

    async def intend(self, operation: Intend) -> tuple[Nudge, ...]:
        """Return what bears on this intent."""
        namespace_id, text = operation.owner.namespace_id, operation.intent.search_text
        await self.memories.embed(namespace_id)
        embedder = self.memories.embedder
        vector, *safe = await embed_soon(embedder, [text, *SAFE_PROTOTYPES])
        found = self.memories.resembling(namespace_id, text, encode_halfvec_one(vector))
        rows = [{**row, **self.nudges.known_of(operation, row["id"])} for row in found]
        knows = embedder.knows
        safest = max(float(prototype @ vector) for prototype in safe) if knows(text) else 0.0
        nudges = weigh(operation, scored(rows, text, knows), safe_similarity=safest)
        if operation.peek:
            return nudges
        self.nudges.record(operation, nudges)
        self.standing.stand(operation, encode_halfvec_one(vector), safest)
        return nudges

    async def _asked(self, namespace_id: int, request: RecallRequest, recipe: Recipe) -> Asked:
        if DENSE not in recipe.weights:
            return Asked(None)
        try:
            await self.memories.embed(namespace_id)
        except EmbedderUnavailable as error:
            if LEXICAL not in recipe.weights:
                raise
            return Asked(None, f"by words alone: {error}")
        if request.vector is not None:
            return Asked(request.vector)
        return await asked_of(self.memories.embedder, request.query, recipe)
