"""The Recaller: recall and nudges for Ray callers, reached by raw actor handle."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any, Self

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.embedding import Embedder, load_embedder
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.recall.admission import Admission
from pinak_ray.recall.recaller import Recaller as Search
from pinak_ray.records.nudges import Nudge
from pinak_ray.records.operations import Intend, Recall
from pinak_ray.records.recall import RecallResult
from pinak_ray.store.database import Database
from pinak_ray.store.embedding_models import RegisteredModel, register_embedder
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Recaller", "SearchParts"]


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The recall object that a Gateway replica holds in process, and this actor too."""

    database: Database
    embedder: Embedder
    model: RegisteredModel
    search: Search
    nudger: Nudger
    admission: Admission

    @classmethod
    async def open(cls, config: StackConfig, *, name: str, connections: int = 4) -> Self:
        """Load the embedder, connect, and register the model if it is new."""
        embedder = await asyncio.to_thread(load_embedder, config.embedder)
        database = await Database.open(
            config.dsn, service_connections=2, reader_connections=connections, name=name
        )
        model = await register_embedder(database, embedder)
        return cls(
            database,
            embedder,
            model,
            Search(database, embedder, model.id),
            Nudger(database, embedder, model.id),
            # While one half is at the database, the other half is at the embedder.
            Admission("the search", at_once=2 * connections),
        )

    async def recall(self, operation: Recall) -> RecallResult:
        """Search the namespace's memories; raises Overloaded when too many wait."""
        async with self.admission.turn():
            return await self.search.recall(operation.namespace_id, operation.request)

    async def intend(self, operation: Intend) -> tuple[Nudge, ...]:
        """Return what failed like this intent; raises Overloaded when too many wait."""
        namespace_id = operation.owner.namespace_id
        async with self.admission.turn():
            return await self.nudger.nudge(namespace_id, operation.intent, operation.k)

    async def aclose(self) -> None:
        """Release the embedder and the connections."""
        await self.embedder.aclose()
        await self.database.aclose()


class Recaller:
    """A thin shell over SearchParts."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        self._parts = Lazy(lambda: SearchParts.open(config, name="pinak-ray recaller"))

    async def recall(self, operation: Recall) -> RecallResult:
        """Search the namespace's memories."""
        return await (await self._parts.get()).recall(operation)

    async def intend(self, operation: Intend) -> tuple[Nudge, ...]:
        """Return what failed like this intent."""
        return await (await self._parts.get()).intend(operation)

    async def ping(self) -> dict[str, Any]:
        """Return once the database and the embedder have answered."""
        parts = await self._parts.get()
        await parts.database.ping()
        await parts.embedder.embed(["ping"])
        return {"pid": os.getpid(), "queue_depth": parts.admission.waiting}

    async def drain(self) -> None:
        """Let go of everything."""
        if self._parts.opened is not None:
            await self._parts.opened.aclose()
