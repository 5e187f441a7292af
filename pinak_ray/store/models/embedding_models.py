"""Registered embedding models: each has an id, and its own partition of memory_vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from pinak_ray.embedding import LARGEST_STORED, EmbedderSpec, EmbeddingModel, EndpointOptions
from pinak_ray.records.errors import SetupError
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.segments import drop_segments

__all__ = [
    "KeptModel",
    "RegisteredModel",
    "drop_model",
    "kept_models",
    "register_model",
    "register_spec",
]


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One row of embedding_models; every vector row names its id."""

    id: int
    name: str
    revision: str
    dimension: int

    def is_of(self, model: EmbeddingModel) -> bool:
        """Tell whether its vectors live in this model's space."""
        return (self.name, self.revision, self.dimension) == (
            model.name,
            model.revision,
            model.dimension,
        )


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that new memories are embedded with, and how to load it; no key is part of it."""

    model: RegisteredModel
    spec: EmbedderSpec

    @classmethod
    def from_row(cls, row: Any) -> "KeptModel":
        """Return the model of a row with its id, name, revision, dimension and spec."""
        model = RegisteredModel(row["id"], row["name"], row["revision"], row["dimension"])
        told = orjson.loads(row["spec"])
        directory, endpoint = told.pop("directory", None), told.pop("endpoint", {})
        spec = EmbedderSpec(
            **told,
            directory=Path(directory) if directory else None,
            endpoint=EndpointOptions.from_json(endpoint),
        )
        return cls(model, spec)


async def register_model(
    connection: Connection, name: str, revision: str, dimension: int
) -> RegisteredModel:
    """Return the model's row, making it and its partition on first use.

    Raises SetupError if the dimension cannot be stored inline in an 8 KB page.
    """
    # 2 bytes a dimension and STORAGE PLAIN: the row must fit a page beside its key.
    if not 1 <= dimension <= LARGEST_STORED:
        raise SetupError(
            f"a model of {dimension} dimensions cannot be stored; the limit is {LARGEST_STORED}: "
            "ask for fewer by PINAK_EMBEDDING_DIMENSION, or --dimension of `pinak-ray models add`"
        )
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
                f"CREATE TABLE {partition} (LIKE pinak.memory_vectors INCLUDING DEFAULTS, "
                f"CHECK (vector_dims(embedding) = {int(dimension)}))"
            )
            # Inline vectors make an exact scan 4x faster than TOASTed ones.
            await connection.execute(
                f"ALTER TABLE {partition} ALTER COLUMN embedding SET STORAGE PLAIN"
            )
            # PARTITION OF would wait for every Indexer's batch, and every recall for it in turn.
            await connection.execute(
                f"ALTER TABLE pinak.memory_vectors ATTACH PARTITION {partition} "
                f"FOR VALUES IN ({int(model_id)})"
            )
    return RegisteredModel(model_id, name, revision, dimension)


async def register_spec(
    connection: Connection, model: EmbeddingModel, spec: EmbedderSpec
) -> tuple[RegisteredModel, bool]:
    """Keep how a model is loaded, and tell whether that is new: from now on it is a kept model."""
    registered = await register_model(connection, model.name, model.revision, model.dimension)
    changed = await connection.fetchval(
        query("embedding_models", "describe"), registered.id, _encode_spec(spec)
    )
    return registered, changed is not None


async def kept_models(database: Database) -> list[KeptModel]:
    """Return the models that new memories are embedded with, the serving one among them."""
    async with database.service() as connection:
        rows = await connection.fetch(query("embedding_models", "kept"))
    return [KeptModel.from_row(row) for row in rows]


async def drop_model(connection: Connection, model_id: int) -> None:
    """Remove a model that nothing uses any more, with its segments and its vectors.

    Outside a transaction: the partition leaves concurrently, so that no recall waits for it.
    """
    async with connection.transaction():
        await drop_segments(connection, model_id)
    partition = f"pinak.memory_vectors_m{int(model_id)}"
    is_leaving = await connection.fetchval(query("embedding_models", "is_leaving"), partition)
    if is_leaving is not None:
        how = "FINALIZE" if is_leaving else "CONCURRENTLY"  # a crash may have cut it short
        await connection.execute(
            f"ALTER TABLE pinak.memory_vectors DETACH PARTITION {partition} {how}"
        )
    await connection.execute(f"DROP TABLE IF EXISTS {partition}")
    await connection.execute(query("embedding_models", "forget"), model_id)


def _encode_spec(spec: EmbedderSpec) -> bytes:
    """Encode what is the model's, and neither a machine's (its cache) nor a secret."""
    told = {
        "kind": spec.kind,
        "url": _without_password(spec.url) if spec.url else None,
        "model": spec.model,
        "dimension": spec.dimension,
        "directory": str(spec.directory) if spec.directory else None,
        "endpoint": spec.endpoint.to_json() or None,
    }
    return orjson.dumps({name: value for name, value in told.items() if value is not None})


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
