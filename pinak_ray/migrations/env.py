"""Alembic environment: runs the versions over asyncpg, in the `pinak` schema."""

import asyncio
from typing import Any

import asyncpg
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from pinak_ray.store.schema import METADATA, SCHEMA


def _run(connection: Connection) -> None:
    # Two starts at once must not both migrate; the lock goes with the transaction.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('pinak-ray migrations'))"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table_schema=SCHEMA,
        include_schemas=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(connect_args: dict[str, Any]) -> None:
    async def connect() -> Any:
        return await asyncpg.connect(**connect_args)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


asyncio.run(_connect_and_run(context.config.attributes["connect_args"]))
