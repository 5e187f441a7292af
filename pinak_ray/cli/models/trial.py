"""Try another embedding model: register it as a candidate, and compare it with the serving one."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from pinak_ray.embedding import EmbedderSpec, Progress
from pinak_ray.recall.comparison import Asked, compare
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.services.config import StackConfig
from pinak_ray.services.serving import load_kept, load_spec
from pinak_ray.store.database import Database
from pinak_ray.store.models.embedding_models import KeptModel, RegisteredModel, kept_models
from pinak_ray.store.models.recorded_queries import recorded_queries
from pinak_ray.store.models.serving_model import ModelStatus, add_model, model_statuses, serving
from pinak_ray.store.namespaces import ensure_namespace

__all__ = ["add_candidate", "compare_models", "queries_from", "status_named"]

_PLAIN_TEXT = "does it answer?"


async def add_candidate(
    database: Database, config: StackConfig, spec: EmbedderSpec, progress: Progress | None = None
) -> RegisteredModel:
    """Load the model once, so that a wrong setting is heard of here, and register it.

    One that is built in is fetched and built here, if it is not yet; `progress` hears of that.
    """
    embedder = await load_spec(spec, config, progress=progress)
    try:
        await embedder.embed([_PLAIN_TEXT])
        return await add_model(database, embedder.model, spec)
    finally:
        await embedder.aclose()


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
