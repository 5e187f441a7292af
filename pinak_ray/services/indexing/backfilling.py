"""The Indexer's lane for what models owe: windows, refused texts, and all of a new model's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from pinak_ray.concurrency.periodic import every, set_within
from pinak_ray.embedding import Embedder, trouble_of
from pinak_ray.records.errors import EmbedderUnavailable
from pinak_ray.services.config import StackConfig
from pinak_ray.services.serving import load_kept
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.backfill import (
    Backfilled,
    backfill_some,
    models_owing,
    note_error,
    sweep_some,
)
from pinak_ray.store.indexing.indexing import EncodeVectors
from pinak_ray.store.models.embedding_models import KeptModel, RegisteredModel, kept_models

__all__ = ["BackfillLane"]

_LOOK_EVERY_S = 1.0
_AFTER_FAILURE_S = 5.0
# A piece waits for the lanes that somebody waits for, but not for ever: it is 0.1 s of one core.
_PATIENCE_S = 1.0
# While one piece is stored, another is embedded, as memories are.
_AT_ONCE = 2


class Serving(Protocol):
    """What the lane needs of the parts that serve."""

    @property
    def database(self) -> Database:
        """Where the vectors are."""
        ...

    @property
    def model(self) -> RegisteredModel:
        """The model that serves."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Its embedder."""
        ...


class BackfillLane:
    """Embeds what kept models owe, a piece or two at a time, other models on one thread each.

    `quiet` is set while no memory is being indexed; `embedded` hears of each piece.
    """

    def __init__(
        self,
        config: StackConfig,
        parts: Callable[[], Awaitable[Serving]],
        encoder: Callable[[Embedder], EncodeVectors],
        *,
        quiet: asyncio.Event,
        embedded: Callable[[Backfilled], None],
    ) -> None:
        self._config = config
        self._parts = parts
        self._encoder = encoder
        self._quiet = quiet
        self._embedded = embedded
        self._embedders: dict[int, Embedder] = {}
        self._rests_until: dict[int, float] = {}

    async def run(self) -> None:
        """Do it until cancelled."""
        try:
            await every(_LOOK_EVERY_S, self._step, "backfill_failed")
        finally:
            for embedder in self._embedders.values():
                await embedder.aclose()

    async def _step(self) -> bool:
        """Move each model on by a piece; False when none moved."""
        parts = await self._parts()
        moved = await sweep_some(parts.database)
        for kept in await self._owing(parts):
            await set_within(self._quiet, _PATIENCE_S)
            is_serving = kept.model.id == parts.model.id
            at_once = _AT_ONCE if is_serving and self._quiet.is_set() else 1
            done = await asyncio.gather(*(self._embed(parts, kept) for _ in range(at_once)))
            moved |= any(done)
        return moved

    async def _owing(self, parts: Serving) -> list[KeptModel]:
        """Return the models that owe vectors; the serving one first, somebody may wait for it."""
        owing = await models_owing(parts.database)
        if not owing:
            return []
        kept = await kept_models(parts.database)
        spare = self._embedders.keys() - {each.model.id for each in kept}
        for gone in spare | (self._embedders.keys() & {parts.model.id}):
            await self._embedders.pop(gone).aclose()
        kept.sort(key=lambda each: each.model.id != parts.model.id)
        return [each for each in kept if each.model.id in owing]

    async def _embed(self, parts: Serving, kept: KeptModel) -> bool:
        """Embed a piece; a model that fails rests for a while, so that it holds up no other."""
        model_id, now = kept.model.id, asyncio.get_running_loop().time()
        if now < self._rests_until.get(model_id, now):
            return False
        try:
            embedder = await self._embedder(parts, kept)
            if (why := trouble_of(embedder)) is not None:
                raise EmbedderUnavailable(why)
            done = await backfill_some(parts.database, model_id, self._encoder(embedder))
        except Exception as error:
            structlog.get_logger().warning(
                "backfill_failed", model=kept.model.name, error=repr(error)
            )
            await note_error(parts.database, model_id, error)
            self._rests_until[model_id] = asyncio.get_running_loop().time() + _AFTER_FAILURE_S
            return False
        if done is not None:
            self._embedded(done)
        return done is not None

    async def _embedder(self, parts: Serving, kept: KeptModel) -> Embedder:
        if kept.model.id == parts.model.id:
            return parts.embedder
        found = self._embedders.get(kept.model.id)
        if found is None:
            found = await load_kept(kept, self._config, threads=1)
            self._embedders[kept.model.id] = found
        return found
