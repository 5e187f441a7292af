"""Follow the embedding model that serves: load it, and load another when it is switched to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import structlog

from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.concurrency.periodic import every
from pinak_ray.embedding import (
    Embedder,
    EmbedderSpec,
    Progress,
    load_embedder,
    trouble_of,
    with_dimension,
)
from pinak_ray.embedding.endpoint.rerank import RerankEndpoint
from pinak_ray.records.errors import SetupError
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.models.embedding_models import KeptModel, RegisteredModel
from pinak_ray.store.models.serving_model import adopt_model, serving, serving_id

__all__ = [
    "Following",
    "embedding_error",
    "is_own",
    "load_kept",
    "load_serving",
    "load_spec",
    "reranking",
]

_LOOK_EVERY_S = 1.0
# A model that does not load is not asked for every second: it may be an endpoint.
_AFTER_FAILURE_S = 5.0
# Longer than any request may take: those in flight end with the parts that they began with.
_GRACE_S = 60.0


async def load_spec(
    told: EmbedderSpec,
    config: StackConfig,
    *,
    threads: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Embedder:
    """Load what a spec tells, with this stack's cache and the endpoint's key, off the loop.

    Raises EmbedderUnavailable where an endpoint must say its dimension, and does not.
    """
    spec = await with_dimension(_completed(told, config))
    spec = replace(spec, threads=threads, workers=workers)
    return await asyncio.to_thread(load_embedder, spec, progress)


def _completed(told: EmbedderSpec, config: StackConfig) -> EmbedderSpec:
    own = config.embedder
    if is_own(told, own):  # an endpoint may have moved, and be asked otherwise
        return replace(own, dimension=own.dimension or told.dimension)
    if told.url == own.url:
        key_file = told.endpoint.key_file or own.endpoint.key_file
        endpoint = replace(told.endpoint, key_file=key_file)
        return replace(told, cache_dir=own.cache_dir, api_key=own.api_key, endpoint=endpoint)
    return replace(told, cache_dir=own.cache_dir, api_key=config.api_keys.get(told.url or ""))


def is_own(told: EmbedderSpec, own: EmbedderSpec) -> bool:
    """Tell whether the configuration describes the same model, perhaps at another place."""
    return (told.kind, told.model, told.directory, told.endpoint.passage_prefix) == (
        own.kind,
        own.model,
        own.directory,
        own.endpoint.passage_prefix,
    ) and (told.dimension == own.dimension or not told.dimension or not own.dimension)


async def load_kept(
    kept: KeptModel, config: StackConfig, *, threads: int = 0, workers: int = 1
) -> Embedder:
    """Load a kept model; raises SetupError where what is loaded gives vectors of another space."""
    # Known, whatever the configuration leaves open: an endpoint that is down need not say it.
    told = replace(kept.spec, dimension=kept.spec.dimension or kept.model.dimension)
    embedder = await load_spec(told, config, threads=threads, workers=workers)
    found, wanted = embedder.model, kept.model
    if wanted.is_of(found):
        return embedder
    await embedder.aclose()
    raise SetupError(
        f"what is loaded for {wanted.name} {wanted.revision} is {found.name} {found.revision} now; "
        "register that one with `pinak-ray models add`"
    )


async def load_serving(
    database: Database, config: StackConfig, *, threads: int = 0, workers: int = 1
) -> tuple[RegisteredModel, Embedder]:
    """Load the model that serves; where none does yet, the configured one is adopted."""
    kept = await serving(database)
    if kept is None:
        embedder = await load_spec(config.embedder, config)
        await adopt_model(database, embedder.model, config.embedder)
        await embedder.aclose()
        kept = await serving(database)
        assert kept is not None
    return kept.model, await load_kept(kept, config, threads=threads, workers=workers)


def embedding_error(embedder: Embedder) -> dict[str, str]:
    """Return why nothing is embedded now, as a part's answer to `ping` has it."""
    why = trouble_of(embedder)
    return {} if why is None else {"embedding_error": why}


def reranking(reranker: RerankEndpoint | None) -> dict[str, str]:
    """Return what reranks, and why it does not now, as a part's answer to `ping` has it."""
    if reranker is None:
        return {}
    why = reranker.trouble
    return {"reranker": reranker.model} | ({} if why is None else {"rerank_error": why})


class Serves(Protocol):
    """Parts that answer with one model, and are opened anew for another."""

    @property
    def database(self) -> Database:
        """Where it is written which model serves."""
        ...

    @property
    def model(self) -> RegisteredModel:
        """The model that these parts answer with."""
        ...

    async def aclose(self) -> None:
        """Release what they hold."""
        ...


S = TypeVar("S", bound=Serves)


class Following(Generic[S]):
    """Parts that serve with the serving model: opened on first use, replaced after a switch.

    New ones are opened beside the old, off the event loop, and take their place in one step; what
    began with the old ends with them. Where the new model does not load, the old one goes on.
    """

    def __init__(self, opener: Callable[[], Awaitable[S]]) -> None:
        self._opener = opener
        self._parts = Lazy(opener)
        self._watch: asyncio.Task[None] | None = None
        self._old: dict[asyncio.Task[None], S] = {}

    async def get(self) -> S:
        """Return the parts of now; raises what opening them raised, and tries again next time."""
        parts = await self._parts.get()
        if self._watch is None:
            self._watch = asyncio.create_task(
                every(
                    _LOOK_EVERY_S,
                    self._look,
                    "model_not_followed",
                    after_failure_s=_AFTER_FAILURE_S,
                )
            )
        return parts

    @property
    def opened(self) -> S | None:
        """The parts of now, or None if nobody has used them yet."""
        return self._parts.opened

    async def aclose(self) -> None:
        """Stop following, and release all parts."""
        if self._watch is not None:
            self._watch.cancel()
        for closing, old in list(self._old.items()):
            closing.cancel()
            await old.aclose()
        if self._parts.opened is not None:
            await self._parts.opened.aclose()

    async def _look(self) -> None:
        now = self._parts.opened
        assert now is not None
        if await serving_id(now.database) in (None, now.model.id):
            return
        new = await self._opener()
        self._parts = Lazy(self._opener, new)
        closing = asyncio.create_task(self._close_later(now))
        self._old[closing] = now
        closing.add_done_callback(lambda task: self._old.pop(task, None))
        structlog.get_logger().info("model_switched", model=new.model.name, id=new.model.id)

    async def _close_later(self, parts: S) -> None:
        await asyncio.sleep(_GRACE_S)
        await parts.aclose()
