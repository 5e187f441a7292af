"""Embedding models: one row and one partition each."""

import asyncio

import asyncpg
import numpy as np
import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.errors import SetupError
from pinak_ray.store.database import Database
from pinak_ray.store.models.embedding_models import RegisteredModel, register_model

pytestmark = pytest.mark.postgres


async def register(database: Database, *model: object) -> RegisteredModel:
    """Register a model, by default MiniLM."""
    async with database.service() as connection:
        return await register_model(connection, *(model or ("minilm", "1", 384)))  # type: ignore[arg-type]


async def test_a_model_is_registered_once(database: Database) -> None:
    """Actors that start together agree on one id, and one partition is made."""
    models = await asyncio.gather(*(register(database) for _ in range(8)))
    async with database.service() as connection:
        partitions = await connection.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'pinak.memory_vectors'::regclass"
        )

    assert {RegisteredModel(models[0].id, "minilm", "1", 384)} == set(models)
    assert partitions == 1


async def test_another_revision_or_dimension_is_another_model(database: Database) -> None:
    """Vectors of different models never share a partition."""
    models = [
        await register(database, *model)
        for model in (("minilm", "1", 384), ("minilm", "2", 384), ("minilm", "1", 256))
    ]

    assert len({model.id for model in models}) == 3


async def test_vectors_are_stored_inline_and_of_the_models_length(database: Database) -> None:
    """The partition keeps vectors out of TOAST and refuses another dimension."""
    model = await register(database, "hashing", "1", 8)
    insert = "INSERT INTO pinak.memory_vectors VALUES (1, $1, 0, gen_random_uuid(), $2)"
    async with database.service() as connection:
        await connection.execute(insert, model.id, encode_halfvec_one(np.ones(8)))
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(insert, model.id, encode_halfvec_one(np.ones(9)))
        storage = await connection.fetchval(
            "SELECT attstorage FROM pg_attribute WHERE attname = 'embedding' "
            "AND attrelid = to_regclass($1)",
            f"pinak.memory_vectors_m{model.id}",
        )

    assert storage == b"p"


@pytest.mark.parametrize("dimension", [0, -1, 4001])
async def test_a_dimension_that_fits_no_page_is_refused(database: Database, dimension: int) -> None:
    """Beyond 4000 dimensions a vector cannot be stored inline: said so, and nothing is made."""
    with pytest.raises(SetupError, match="limit is 4000"):
        await register(database, "huge", "1", dimension)
    async with database.service() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pinak.embedding_models") == 0


async def test_the_largest_vector_fits(database: Database) -> None:
    """A vector of 4000 dimensions is stored."""
    model = await register(database, "large", "1", 4000)
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.memory_vectors VALUES (1, $1, 0, gen_random_uuid(), $2)",
            model.id,
            encode_halfvec_one(np.ones(4000)),
        )
        assert await connection.fetchval("SELECT count(*) FROM pinak.memory_vectors") == 1
