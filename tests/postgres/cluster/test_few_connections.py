"""Few connections left: pools go on with what they have, and a start says how many it needs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from pinak_ray.cluster.connection_room import check_room
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import DatabaseUnavailable, SetupError
from pinak_ray.store.database import Database

pytestmark = pytest.mark.postgres

LIMIT = 3


@pytest.fixture
async def limited(dsn: str) -> AsyncIterator[str]:
    """The DSN of a role that may have three connections and no more."""
    name = f"limited_{uuid4().hex}"
    admin = await asyncpg.connect(dsn, timeout=30)
    await admin.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD 'secret' CONNECTION LIMIT {LIMIT} IN ROLE pinak_app"
    )
    parts = urlsplit(dsn)
    yield urlunsplit(parts._replace(netloc=f"{name}:secret@"))
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


async def test_a_pool_that_cannot_grow_goes_on_with_what_it_has(limited: str) -> None:
    """Many callers share the few connections that there are; none hears an error."""
    async with await Database.open(limited, service_connections=10) as database:

        async def ask(number: int) -> int:
            async with database.service() as connection:
                return int(await connection.fetchval("SELECT $1::int FROM pg_sleep(0.01)", number))

        answers = await asyncio.gather(*(ask(number) for number in range(60)))

    assert answers == list(range(60))


async def test_none_left_is_unavailable_and_passes(limited: str) -> None:
    """Who gets none hears how to have more, and once others let go it works by itself."""
    async with (
        await Database.open(limited, service_connections=LIMIT) as others,
        others.service(),
        others.service(),
        others.service(),
    ):
        with pytest.raises(DatabaseUnavailable, match="max_connections"):
            await Database.open(limited)
    async with await Database.open(limited) as database:
        await database.ping()


async def test_a_start_says_how_many_it_needs(limited: str, dsn: str, tmp_path: Path) -> None:
    """Too few for its parts: SetupError with both numbers. Enough on the whole: not a word."""
    settings = Settings(home=tmp_path, hosts=2)
    async with (
        await Database.open(limited, service_connections=1) as database,
        database.service() as connection,
    ):
        with pytest.raises(SetupError, match=rf"has {LIMIT} connections left, and this stack"):
            await check_room(connection, settings, limited)
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        assert await check_room(connection, settings, dsn) is None
        fewer = settings.model_copy(update={"hosts": 60})
        warning = await check_room(connection, fewer, dsn)

    assert warning is not None
    assert "up to" in warning
