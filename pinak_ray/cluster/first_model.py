"""The model that is to serve, made ready before a stack is started."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from pinak_ray.embedding import Embedder, load_embedder, with_dimension
from pinak_ray.embedding import Progress as Reported
from pinak_ray.records.errors import EmbedderUnavailable, SetupError
from pinak_ray.services.config import StackConfig
from pinak_ray.services.serving import is_own, load_kept
from pinak_ray.store.database import Database
from pinak_ray.store.models.embedding_models import KeptModel
from pinak_ray.store.models.serving_model import adopt_model, serving

__all__ = ["prepare_model"]

_PLAIN_TEXT = "does it answer?"


async def prepare_model(
    database: Database, config: StackConfig, *, report: Reported, progress: Callable[[str], None]
) -> None:
    """Have the model that is to serve ready: its files built, or its endpoint asked for one text.

    The configured model serves a new database; in others `pinak-ray models` says which one does.
    Raises SetupError where it does not embed. An endpoint that is merely down does not keep a stack
    from starting that had it before: words answer meanwhile, and what is stored waits.
    """
    kept = await serving(database)
    configured = await _configured(config, kept, report)
    serves = configured
    if kept is not None and (configured is None or not kept.model.is_of(configured.model)):
        progress(f"serving {kept.model.name}, not the configured {config.embedder.model or ''}")
        serves = await load_kept(kept, config)
    assert serves is not None
    try:
        await serves.embed([_PLAIN_TEXT])
    except EmbedderUnavailable as error:
        if kept is None or not error.passes:
            raise SetupError(str(error)) from error
        progress(f"words answer alone meanwhile: {error}")
    finally:
        for embedder in {id(each): each for each in (configured, serves) if each}.values():
            await embedder.aclose()
    if configured is not None:
        await adopt_model(database, configured.model, config.embedder)


async def _configured(
    config: StackConfig, kept: KeptModel | None, report: Reported
) -> Embedder | None:
    """Load the configured model; None for an endpoint that does not serve, and need not answer."""
    spec = config.embedder
    if kept is not None and spec.kind == "openai" and not spec.dimension:
        if not is_own(kept.spec, spec):
            return None
        spec = replace(spec, dimension=kept.model.dimension)
    try:
        spec = await with_dimension(spec)
    except EmbedderUnavailable as error:
        raise SetupError(str(error)) from error
    return await asyncio.to_thread(load_embedder, spec, report)
