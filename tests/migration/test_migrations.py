"""The migrations: up, down, up again, and agreement with the code."""

import asyncio

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from pinak_ray.migrations import runner
from pinak_ray.store.memories import memories
from pinak_ray.store.schema import METADATA, SCHEMA

pytestmark = pytest.mark.postgres


async def tables(dsn: str) -> set[str]:
    """Return the names of our tables."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = $1", SCHEMA
        )
    finally:
        await connection.close()
    return {row["tablename"] for row in rows} - {"alembic_version"}


def test_up_down_and_up_again(empty_dsn: str) -> None:
    """Every revision can be taken back, and applied again."""

    runner.upgrade(empty_dsn)
    first = asyncio.run(tables(empty_dsn))
    runner.downgrade(empty_dsn, "base")
    nothing = asyncio.run(tables(empty_dsn))
    runner.upgrade(empty_dsn)
    again = asyncio.run(tables(empty_dsn))

    assert set() == nothing
    assert first == again
    assert {table.name for table in METADATA.tables.values()} == again


def test_upgrade_twice_changes_nothing(dsn: str) -> None:
    """A second `up` finds the schema as it is."""
    runner.upgrade(dsn)


async def test_code_and_schema_agree(dsn: str) -> None:
    """What store/schema describes is what the migrations made: tables, columns, indexes."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn, server_settings={"search_path": "public"})

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "version_table_schema": SCHEMA,
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            },
        )
        return list(compare_metadata(context, METADATA))

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


def test_copy_columns_are_columns_of_the_table() -> None:
    """The COPY encoders name all columns but those that a revision fills."""
    table = METADATA.tables[f"{SCHEMA}.memories"]
    written = {column.name for column in table.columns} - {
        "superseded_by",
        "superseded_at",
    }

    assert written == set(memories.COLUMNS)
    vectors = METADATA.tables[f"{SCHEMA}.memory_vectors"]
    assert {column.name for column in vectors.columns} - {"seq"} == set(memories.VECTOR_COLUMNS)
