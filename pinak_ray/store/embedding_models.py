"""Registered embedding models: each has an id, and its own partition of memory_vectors."""

from dataclasses import dataclass

from pinak_ray.embedding import Embedder
from pinak_ray.records.errors import SetupError
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query

__all__ = ["RegisteredModel", "register_embedder", "register_model"]


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One row of embedding_models; every vector row names its id."""

    id: int
    name: str
    revision: str
    dimension: int


async def register_model(
    connection: Connection, name: str, revision: str, dimension: int
) -> RegisteredModel:
    """Return the model's row, making it and its partition on first use.

    Raises SetupError if the dimension cannot be stored inline in an 8 KB page.
    """
    # 2 bytes a dimension and STORAGE PLAIN: the row must fit a page beside its key.
    if not 1 <= dimension <= 4000:
        raise SetupError(f"a model of {dimension} dimensions cannot be stored; the limit is 4000")
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('pinak embedding models'))")
        model_id = await connection.fetchval(
            query("embedding_models", "register"), name, revision, dimension
        )
        # DDL takes no parameters; both values are integers that the database itself returned.
        partition = f"pinak.memory_vectors_m{int(model_id)}"
        exists = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", partition)
        if not exists:
            await connection.execute(
                f"CREATE TABLE {partition} PARTITION OF pinak.memory_vectors "
                f"(CHECK (vector_dims(embedding) = {int(dimension)})) "
                f"FOR VALUES IN ({int(model_id)})"
            )
            # Inline vectors make an exact scan 4x faster than TOASTed ones.
            await connection.execute(
                f"ALTER TABLE {partition} ALTER COLUMN embedding SET STORAGE PLAIN"
            )
    return RegisteredModel(model_id, name, revision, dimension)


async def register_embedder(database: Database, embedder: Embedder) -> RegisteredModel:
    """Return the row of the model that this embedder computes, making it on first use."""
    model = embedder.model
    async with database.service() as connection:
        return await register_model(connection, model.name, model.revision, model.dimension)
