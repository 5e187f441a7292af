"""A pooler between us and PostgreSQL is noticed before it can mix up what sessions may see."""

from uuid import uuid4

import pytest

from pinak_ray.cluster.postgres.external import check_server
from pinak_ray.records.errors import SetupError
from pinak_ray.store.database import Database
from tests.support.pgbouncer import pooled

pytestmark = pytest.mark.postgres


async def test_one_that_lends_sessions_to_many_is_refused(dsn: str) -> None:
    """The text names the fault and where to connect instead."""
    async with pooled(dsn, mode="transaction", ignoring=True) as through:
        (problem,) = (await check_server(through)).problems
    assert "connection pooler" in problem
    assert "name the server itself" in problem


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_one_that_refuses_how_sessions_start_is_named(dsn: str, mode: str) -> None:
    """As PgBouncer does unless it is told to drop what it does not know."""
    async with pooled(dsn, mode=mode, ignoring=False) as through:
        (problem,) = (await check_server(through)).problems
    assert "refuses what a session is started with" in problem


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_no_reader_opens_where_its_role_was_dropped(dsn: str, mode: str) -> None:
    """Whatever was checked before: it would read as the owner, who sees all namespaces."""
    async with pooled(dsn, mode=mode, ignoring=True) as through:
        with pytest.raises(SetupError, match="sees all namespaces"):
            await Database.open(through, reader_connections=1, name=f"test {uuid4()}")


async def test_the_server_itself_passes(dsn: str) -> None:
    """Neither over a socket nor otherwise is a direct connection taken for a pooler."""
    assert (await check_server(dsn)).problems == ()
