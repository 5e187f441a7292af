"""The reading role logs in by itself: whatever SQL runs in its session, there is no way out."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from pinak_ray.cluster.postgres.config import ServerSettings
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.migrations import runner
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.memories.memories import commit_memories, encode_memory

pytestmark = pytest.mark.postgres

SEEN = "SELECT array_agg(DISTINCT namespace_id) FROM pinak.memories"


@pytest.fixture(scope="module")
def dsns(reachable_dir: Path) -> Iterator[tuple[str, str]]:
    """The service's and the readers' DSN of an embedded server."""
    settings = ServerSettings(shared_buffers_mb=32, max_connections=20)
    with EmbeddedPostgres(reachable_dir / "readers", durable=False, settings=settings) as server:
        runner.upgrade(server.dsn)
        yield server.dsn, server.reader_dsn


@pytest.fixture
async def reader(dsns: tuple[str, str]) -> AsyncIterator[Connection]:
    """A reading connection of a pool, which may see the first of two namespaces."""
    service, reading = dsns
    async with await Database.open(service, reader_connections=1, reader_dsn=reading) as opened:
        memories = [encode_memory(new_memory(number, "ada", "orders")) for number in (1, 2)]
        await commit_memories(opened, memories)
        async with opened.reading(1) as connection:
            yield connection


@pytest.mark.parametrize(
    "way",
    [
        "SET ROLE NONE",
        "RESET ROLE",
        "RESET ALL",
        "DISCARD ALL",
        "SET ROLE pinak",
        "SET SESSION AUTHORIZATION pinak",
        "SET SESSION AUTHORIZATION DEFAULT",
        "RESET SESSION AUTHORIZATION",
        "SET row_security = off",
        "ALTER ROLE pinak_app SUPERUSER",
        "GRANT pinak TO pinak_app",
        "SET ROLE pinak_service",
        "GRANT pinak_service TO pinak_app",
        "CREATE ROLE evil LOGIN",
    ],
)
async def test_there_is_no_other_role_to_go_to(reader: Connection, way: str) -> None:
    """Each way is refused or changes nothing: the session stays the reader's, and walled in."""
    with suppress(asyncpg.InsufficientPrivilegeError):
        await reader.execute(way)
    users = await reader.fetchrow("SELECT session_user, current_user")
    await reader.execute("SET pinak.namespace_id = '1'")
    try:
        seen = await reader.fetchval(SEEN)
    except asyncpg.InsufficientPrivilegeError:  # row_security = off asks to see all
        seen = [1]

    assert tuple(users) == ("pinak_app", "pinak_app")
    assert seen == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY pg_temp.x FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/pinak-reader'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "ALTER SYSTEM SET jit = on",
        "SELECT rolpassword FROM pg_authid",
        "SELECT * FROM pinak.signing_keys",
        "INSERT INTO pinak.namespaces (tenant, project) VALUES ('a', 'b')",
    ],
)
async def test_the_server_gives_a_reader_nothing_else(reader: Connection, statement: str) -> None:
    """No program, file, setting or table beyond what reads need."""
    await reader.execute("CREATE TEMP TABLE IF NOT EXISTS x (line text)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement)


async def test_the_role_is_a_member_of_nothing(reader: Connection) -> None:
    """It inherits nothing, and nobody's rights can be set."""
    facts = await reader.fetchrow(
        "SELECT rolinherit, rolsuper, rolcreaterole, rolbypassrls, "
        "(SELECT count(*) FROM pg_auth_members WHERE member = r.oid) "
        "FROM pg_roles AS r WHERE rolname = session_user"
    )

    assert tuple(facts) == (False, False, False, False, 0)
