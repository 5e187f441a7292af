"""The search service: recall, nudges and what is told of them, as one process holds it."""

from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pinak_ray.concurrency.admission import Admission
from pinak_ray.embedding import Embedder
from pinak_ray.embedding.endpoint.rerank import RerankEndpoint
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.recall.cache.recaller import CachedRecaller
from pinak_ray.recall.grading.graded_recall import GradedRecall
from pinak_ray.recall.linked import expanded
from pinak_ray.recall.recaller import Recaller as Search
from pinak_ray.recall.zones import Zones
from pinak_ray.records.memory.grades import Grade, RetrievalGrade
from pinak_ray.records.memory.nudges import Nudge
from pinak_ray.records.memory.recall import RecallResult
from pinak_ray.records.operations import Intend, Recall
from pinak_ray.records.wiring import Operation
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import SEARCH_POOL
from pinak_ray.services.serving import load_serving
from pinak_ray.store.answering import ANSWERS
from pinak_ray.store.database import Database
from pinak_ray.store.feedback import nudge_feedback, templates  # noqa: F401 - they answer
from pinak_ray.store.lifecycle import revisions  # noqa: F401 - they answer
from pinak_ray.store.memories import promotion  # noqa: F401 - it answers
from pinak_ray.store.memories.accesses import Accesses
from pinak_ray.store.mirrors.mirrors import Mirrors
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.models.recorded_queries import QueryRecorder
from pinak_ray.store.standing_intents import StandingIntents
from pinak_ray.store.vectors.generations import Generations
from pinak_ray.store.vectors.vector_cache import VectorCache

R = TypeVar("R")

__all__ = ["SearchParts"]


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The recall object that a Gateway replica holds in process, and this actor too."""

    database: Database
    embedder: Embedder
    model: RegisteredModel
    search: CachedRecaller
    nudger: Nudger
    standing: StandingIntents
    vectors: VectorCache
    mirrors: Mirrors
    admission: Admission
    recorder: QueryRecorder
    accesses: Accesses
    reranker: RerankEndpoint | None

    @classmethod
    async def open(
        cls, config: StackConfig, *, name: str, connections: int = SEARCH_POOL.reader
    ) -> Self:
        """Connect, and load the model that serves."""
        database = await Database.open(
            config.dsn,
            service_connections=SEARCH_POOL.service,
            reader_connections=connections,
            reader_dsn=config.reader_dsn,
            name=name,
        )
        try:
            model, embedder = await load_serving(database, config)
        except BaseException:
            await database.aclose()
            raise
        # While one half is at the database, the other half is at the embedder.
        admission = Admission("the search", at_once=2 * connections)
        vectors = VectorCache(database, model.id, config.vectors_bytes)
        mirrors = Mirrors(database, model.id, embedder.model.dimension, config.vectors_bytes)
        zones = Zones(database, config.zone, config.zones)
        reranker = None if config.rerank is None else RerankEndpoint(config.rerank)
        recaller = Search(database, embedder, model.id, vectors, zones, mirrors, reranker)
        standing = StandingIntents(database, model.id)
        cooldown_s = config.nudge_cooldown_s
        return cls(
            database,
            embedder,
            model,
            CachedRecaller(recaller, Generations(database), config.cache, admission),
            Nudger(
                database,
                embedder,
                model.id,
                cooldown_s=cooldown_s,
                standing=standing,
                vectors=vectors,
            ),
            standing,
            vectors,
            mirrors,
            admission,
            QueryRecorder(database, config.record_queries),
            Accesses(database),
            reranker,
        )

    async def carry_out(self, operation: Operation[R]) -> R:
        """Carry out one operation whose place is `search`; raises its own PinakError, and
        Overloaded when too many wait."""
        answering: Any = ANSWERS.get(type(operation))
        if answering is None:
            searched: R = await getattr(self, operation.wiring.call)(operation)
            return searched
        where: Any = getattr(operation, "owner", operation)
        async with self.admission.turn(where.namespace_id):
            answer: R = await answering(self.database, operation)
            return answer

    async def recall(self, operation: Recall) -> RecallResult:
        """Search the namespace's memories; raises Overloaded when too many wait."""
        namespace_id, request = operation.namespace_id, operation.request
        self.recorder.note(namespace_id, request)
        result = await self.search.recall(namespace_id, request)
        if request.expand:
            # Behind the cache, which links are not counted in.
            async with self.admission.turn(namespace_id):
                result = await expanded(self.database, namespace_id, request, result)
        self.accesses.note(namespace_id, (hit.id for hit in result.hits))
        return result

    async def intend(self, operation: Intend) -> tuple[Nudge, ...]:
        """Return what bears on this intent; raises Overloaded when too many wait."""
        async with self.admission.turn(operation.owner.namespace_id):
            nudges = await self.nudger.nudge(operation)
        if not operation.peek:
            shown = (hit.id for nudge in nudges for hit in nudge.evidence)
            self.accesses.note(operation.owner.namespace_id, shown)
        return nudges

    async def grade(self, operation: Grade) -> RetrievalGrade:
        """Grade what was recalled, and keep it as feedback; raises Overloaded."""
        async with self.admission.turn(operation.owner.namespace_id):
            return await GradedRecall(self.database, self.embedder, self.model.id).grade(operation)

    async def aclose(self) -> None:
        """Release the embedder and the connections."""
        await self.standing.aclose()
        await self.vectors.aclose()
        await self.mirrors.aclose()
        await self.accesses.aclose()
        await self.recorder.aclose()
        await self.embedder.aclose()
        if self.reranker is not None:
            await self.reranker.aclose()
        await self.database.aclose()
