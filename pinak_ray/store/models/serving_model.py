"""Which embedding model serves: one row, changed by one statement, followed by every reader."""

from typing import NamedTuple

from pinak_ray.embedding import EmbedderSpec, EmbeddingModel
from pinak_ray.records.errors import Conflict
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.backfill import Coverage, begin_backfill, coverage_of, retry_refused
from pinak_ray.store.models.embedding_models import (
    KeptModel,
    RegisteredModel,
    drop_model,
    register_spec,
)
from pinak_ray.store.queries import query

__all__ = [
    "ModelStatus",
    "add_model",
    "adopt_model",
    "model_statuses",
    "remove_model",
    "roll_back",
    "serving",
    "serving_id",
    "switch_to",
]


class ModelStatus(NamedTuple):
    """One kept model: whether it serves, or served before, and how many vectors it has."""

    model: RegisteredModel
    serves: bool
    is_previous: bool
    coverage: Coverage


async def serving(database: Database) -> KeptModel | None:
    """Return the model that serves; None in a database that nothing has served from yet."""
    async with database.service() as connection:
        row = await connection.fetchrow(query("embedding_models", "serving"))
    return None if row is None else KeptModel.from_row(row)


async def serving_id(database: Database) -> int | None:
    """Return the id of the model that serves."""
    async with database.service() as connection:
        return (await _ids(connection))[0]


async def adopt_model(database: Database, model: EmbeddingModel, spec: EmbedderSpec) -> None:
    """Let this model serve if none does; where it serves already, keep how it is loaded now."""
    async with database.service() as connection, connection.transaction():
        found = await connection.fetchrow(query("embedding_models", "serving"))
        if found is None or KeptModel.from_row(found).model.is_of(model):
            registered = await _described(connection, model, spec)
            await connection.execute(query("embedding_models", "serve_first"), registered.id)


async def add_model(
    database: Database, model: EmbeddingModel, spec: EmbedderSpec
) -> RegisteredModel:
    """Register a model and begin its back-fill; for a known one, look again for what it lacks.

    Raises Conflict for the model that serves.
    """
    async with database.service() as connection, connection.transaction():
        registered = await _described(connection, model, spec)
        if registered.id in await _ids(connection):
            raise Conflict(f"{model.name} serves already, or did before; its vectors are kept")
        await begin_backfill(connection, registered.id)
    return registered


async def model_statuses(database: Database) -> list[ModelStatus]:
    """Return all kept models; counts every memory, so a large database takes seconds."""
    async with database.service() as connection:
        now, previous = await _ids(connection)
        kept = await connection.fetch(query("embedding_models", "kept"))
        statuses = []
        for each in map(KeptModel.from_row, kept):
            model = each.model
            coverage = await coverage_of(connection, model.id)
            statuses.append(ModelStatus(model, model.id == now, model.id == previous, coverage))
    return statuses


async def switch_to(database: Database, model_id: int, *, force: bool = False) -> None:
    """Let another model serve; the one that served is the previous one, and is kept complete.

    Raises Conflict where it serves already, and, unless forced, while its back-fill is under way.
    """
    async with database.service() as connection, connection.transaction():
        coverage = await coverage_of(connection, model_id)
        if coverage.is_behind and not force:
            raise Conflict(
                f"the back-fill is at {coverage.share:.1%}, {coverage.missing} vectors are missing "
                f"({coverage.set_aside} set aside); wait, or switch with --force"
            )
        if await connection.fetchval(query("embedding_models", "switch"), model_id) is None:
            raise Conflict("this model serves already")


async def roll_back(database: Database) -> int:
    """Let the previous model serve again and return its id; raises Conflict when there is none."""
    async with database.service() as connection:
        model_id = await connection.fetchval(query("embedding_models", "roll_back"))
    if model_id is None:
        raise Conflict("no model served before this one, or it was removed")
    return int(model_id)


async def remove_model(database: Database, model_id: int) -> None:
    """Forget a model and all its vectors; a second call ends what a crash cut short.

    Raises Conflict for the model that serves.
    """
    async with database.service() as connection:
        async with connection.transaction():
            # With the row locked no switch can come between.
            now = await connection.fetchval(query("embedding_models", "lock_serving"))
            if now == model_id:
                raise Conflict("this model serves; switch to another first")
            await connection.execute(query("embedding_models", "retire"), model_id)
        await drop_model(connection, model_id)


async def _described(
    connection: Connection, model: EmbeddingModel, spec: EmbedderSpec
) -> RegisteredModel:
    """Keep how a model is loaded; loaded otherwise, it may take what it refused."""
    registered, is_new = await register_spec(connection, model, spec)
    if is_new:
        await retry_refused(connection, registered.id)
    return registered


async def _ids(connection: Connection) -> tuple[int | None, int | None]:
    """Return the id of the model that serves, and of the one that served before."""
    row = await connection.fetchrow(query("embedding_models", "serving_ids"))
    return (None, None) if row is None else (row["model_id"], row["previous_id"])
