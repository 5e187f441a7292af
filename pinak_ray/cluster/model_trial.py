"""Try another embedding model: register it as a candidate, and compare it with the serving one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.model_change import is_own, load_kept, load_spec
from pinak_ray.embedding import Embedder, EmbedderSpec, load_embedder, with_dimension
from pinak_ray.embedding import Progress as Reported
from pinak_ray.recall.comparison import Asked, compare
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.errors import EmbedderUnavailable, InvalidInput, NotFound, SetupError
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.store.database import Database
from pinak_ray.store.embedding_models import KeptModel, RegisteredModel, kept_models
from pinak_ray.store.namespaces import ensure_namespace
from pinak_ray.store.recorded_queries import recorded_queries
from pinak_ray.store.serving_model import (
    ModelStatus,
    add_model,
    adopt_model,
    model_statuses,
    serving,
)

__all__ = ["add_candidate", "compare_models", "prepare_model", "queries_from", "status_named"]

_PLAIN_TEXT = "does it answer?"


async def add_candidate(
    database: Database, config: StackConfig, spec: EmbedderSpec
) -> RegisteredModel:
    """Load the model once, so that a wrong setting is heard of here, and register it."""
    embedder = await load_spec(spec, config)
    try:
        await embedder.embed([_PLAIN_TEXT])
        return await add_model(database, embedder.model, spec)
    finally:
        await embedder.aclose()


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


async def status_named(database: Database, name: str) -> ModelStatus:
    """Return the model of this name, NAME:DIMENSION or number; raises NotFound, InvalidInput."""
    statuses = await model_statuses(database)
    found = [status for status in statuses if name in _names(status.model)]
    if not found:
        known = ", ".join(status.model.name for status in statuses)
        raise NotFound(f"no model {name!r} is registered; there are: {known}")
    if len(found) > 1:
        numbers = ", ".join(str(status.model.id) for status in found)
        raise InvalidInput(f"{name!r} is the name of several models; say which: {numbers}")
    return found[0]


def _names(model: RegisteredModel) -> tuple[str, ...]:
    return (model.name, f"{model.name}:{model.dimension}", str(model.id))


async def queries_from(
    database: Database, path: Path | None, key: NamespaceKey | None, *, limit: int
) -> list[Asked]:
    """Return the queries of a file, asked of one namespace, or the recorded ones.

    Raises InvalidInput for a damaged line, NotFound where there is no query.
    """
    namespace_id = None
    if key is not None:
        async with database.service() as connection:
            namespace_id = await ensure_namespace(connection, key)
    if path is None or namespace_id is None:
        recorded = await recorded_queries(database, limit=limit, namespace_id=namespace_id)
        if not recorded:
            raise NotFound(
                "no query is recorded; start the stack with PINAK_RECORD_QUERIES=0.1, or give "
                "a file with --queries"
            )
        return [Asked(*each) for each in recorded]
    lines = (await asyncio.to_thread(path.read_text, "utf-8")).splitlines()
    asked = [_asked(namespace_id, line, number) for number, line in enumerate(lines, 1) if line]
    if not asked:
        raise NotFound(f"{path} holds no query")
    return asked[:limit]


def _asked(namespace_id: int, line: str, number: int) -> Asked:
    if not line.startswith("{"):
        return Asked(namespace_id, line.strip())
    try:
        told = orjson.loads(line)
        relevant = frozenset(UUID(id_) for id_ in told.get("relevant", ()))
        return Asked(namespace_id, str(told["query"]), relevant)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"line {number} is no query: {error!r}") from error


async def compare_models(
    database: Database,
    config: StackConfig,
    name: str,
    asked: Sequence[Asked],
    *,
    progress: Callable[[float], None],
) -> dict[str, Any]:
    """Ask the serving model and the named one; return how they differ, as JSON holds it."""
    candidate_id = (await status_named(database, name)).model.id
    now = await serving(database)
    kept = {each.model.id: each for each in await kept_models(database)}
    if now is None or now.model.id == candidate_id:
        raise InvalidInput("compare needs a model that does not serve; see `pinak-ray models list`")
    sides: list[KeptModel] = [now, kept[candidate_id]]
    embedders = [await load_kept(each, config) for each in sides]
    try:
        recallers = [
            Recaller(database, embedder, each.model.id)
            for embedder, each in zip(embedders, sides, strict=True)
        ]
        found = await compare(asked, recallers[0], recallers[1], progress=progress)
    finally:
        for embedder in embedders:
            await embedder.aclose()
    return {
        "models": {"serving": sides[0].model.name, "candidate": sides[1].model.name},
        **found._asdict(),
        "serving": found.serving._asdict(),
        "candidate": found.candidate._asdict(),
    }
