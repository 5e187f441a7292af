"""recall and intend over a twin's memories: its own candidates, everyone's ranking and gate."""

from dataclasses import dataclass

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.nudges.failures import scored
from pinak_ray.nudges.gate import SAFE_PROTOTYPES
from pinak_ray.nudges.nudger import weigh
from pinak_ray.recall.recaller import rank
from pinak_ray.recall.recipes import DENSE, Recipe, recipe_named
from pinak_ray.recall.trace import Stopwatch
from pinak_ray.records.nudges import Nudge
from pinak_ray.records.operations import Intend, Recall
from pinak_ray.records.recall import RecallRequest, RecallResult, Trace
from pinak_ray.testing.memories import LocalMemories

__all__ = ["LocalSearch"]


@dataclass(slots=True)
class LocalSearch:
    """What the Recaller and the Nudger are to a stack."""

    memories: LocalMemories

    async def recall(self, operation: Recall) -> RecallResult:
        """Search the namespace's memories; raises InvalidInput for an unknown recipe."""
        namespace_id, request = operation
        recipe = recipe_named(request.recipe)
        watch = Stopwatch()
        with watch.step("embed"):
            vector = await self._query_vector(namespace_id, request, recipe)
        with watch.step("scan"):
            found = self.memories.candidates(namespace_id, request, recipe, vector)
        with watch.step("fuse"):
            result = rank(found, recipe=recipe, request=request)
        if not request.trace:
            return result
        trace = Trace(recipe.name, recipe.signal_weights(), found.counts, watch.timings_ms)
        return RecallResult(result.hits, trace)

    async def intend(self, operation: Intend) -> tuple[Nudge, ...]:
        """Return what failed like this intent."""
        namespace_id, text = operation.owner.namespace_id, operation.intent.search_text
        await self.memories.embed(namespace_id)
        vector, *safe = await self.memories.embedder.embed([text, *SAFE_PROTOTYPES])
        failures = self.memories.failures(namespace_id, text, encode_halfvec_one(vector))
        safest = max(float(prototype @ vector) for prototype in safe)
        return weigh(text, scored(failures), safe_similarity=safest, k=operation.k)

    async def _query_vector(
        self, namespace_id: int, request: RecallRequest, recipe: Recipe
    ) -> bytes | None:
        if DENSE not in recipe.weights:
            return None
        await self.memories.embed(namespace_id)
        if request.vector is not None:
            return request.vector
        return encode_halfvec_one((await self.memories.embedder.embed([request.query]))[0])
