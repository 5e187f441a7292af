"""The Recaller: recall and nudges for Ray callers, reached by raw actor handle."""

import os
from contextlib import suppress
from typing import Any, TypeVar

from pinak_ray.embedding import embed_queries
from pinak_ray.records.errors import EmbedderUnavailable
from pinak_ray.records.wiring import Operation
from pinak_ray.services.config import StackConfig
from pinak_ray.services.search import SearchParts
from pinak_ray.services.serving import Following, embedding_error, reranking
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Recaller"]

R = TypeVar("R")


class Recaller:
    """A thin shell over SearchParts."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        self._parts = Following(lambda: SearchParts.open(config, name="pinak-ray recaller"))

    async def search(self, operation: Operation[Any]) -> Any:
        """Carry out one operation whose place is `search`."""
        return await (await self._parts.get()).carry_out(operation)

    async def ping(self) -> dict[str, Any]:
        """Return once the database has answered, and the embedder been asked."""
        parts = await self._parts.get()
        await parts.database.ping()
        # An endpoint that is away is told of, and ends nothing: words answer meanwhile.
        with suppress(EmbedderUnavailable):
            await embed_queries(parts.embedder, ["ping"])
        if parts.reranker is not None:
            await parts.reranker.ping()
        return {
            "pid": os.getpid(),
            "queue_depth": parts.admission.waiting,
            "cache": parts.search.figures(),
            **embedding_error(parts.embedder),
            **reranking(parts.reranker),
            "model": parts.model.name,
            "model_id": parts.model.id,
        }

    async def drain(self) -> None:
        """Let go of everything."""
        await self._parts.aclose()
