"""A connection that is lost is Unavailable, whenever it is lost, and the next one works."""

import asyncio

import pytest

from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database

pytestmark = pytest.mark.postgres

PID = "SELECT pg_backend_pid()"
KILL = "SELECT pg_terminate_backend($1)"


@pytest.mark.parametrize("role", ["service", "reading"])
async def test_a_connection_that_dies_in_a_query(database: Database, role: str) -> None:
    """Callers meet our error, which says to try again; the pool lends a fresh connection."""
    lend = database.service if role == "service" else lambda: database.reading(1)

    async def asleep() -> None:
        async with lend() as connection:
            pid.set_result(await connection.fetchval(PID))
            await connection.execute("SELECT pg_sleep(30)")

    pid = asyncio.get_running_loop().create_future()
    sleeping = asyncio.create_task(asleep())
    victim = await pid
    async with database.service() as killer:
        await killer.fetchval(KILL, victim)
    with pytest.raises(Unavailable):
        await sleeping
    async with lend() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_an_error_of_other_things_in_the_block_keeps_its_name(database: Database) -> None:
    """What is raised beside the connection says nothing of the server."""
    with pytest.raises(ConnectionRefusedError):
        async with database.service():
            raise ConnectionRefusedError("of an embedding endpoint")
