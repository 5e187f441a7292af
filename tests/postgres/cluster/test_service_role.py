"""The stack's own role owns the data and is no superuser, in new homes and in those of before."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from pinak_ray.cli.doctor.database import check_database
from pinak_ray.cli.doctor.verdict import State
from pinak_ray.cluster.postgres.config import ServerSettings
from pinak_ray.cluster.postgres.external import check_server
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.migrations import runner
from pinak_ray.records.errors import SetupError
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from tests.support.bare_server import make_bare

pytestmark = pytest.mark.postgres

OTHERS = """
SELECT 'schema' FROM pg_namespace WHERE nspname = 'pinak' AND nspowner::regrole::text <> $1
UNION ALL SELECT relname FROM pg_class
WHERE relnamespace = 'pinak'::regnamespace AND relowner::regrole::text <> $1
UNION ALL SELECT typname FROM pg_type
WHERE typnamespace = 'pinak'::regnamespace AND typowner::regrole::text <> $1
UNION ALL SELECT proname FROM pg_proc
WHERE pronamespace = 'pinak'::regnamespace AND proowner::regrole::text <> $1
UNION ALL SELECT polname FROM pg_policy
WHERE polname = 'service' AND polroles <> ARRAY[$1::regrole::oid]
"""
WORDS = "SELECT array_agg(content ORDER BY namespace_id) FROM pinak.memories"


@pytest.fixture
def server(reachable_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A server that runs."""
    settings = ServerSettings(shared_buffers_mb=32, max_connections=20)
    place = reachable_dir / "service-role"
    with EmbeddedPostgres(place, durable=False, settings=settings) as running:
        yield running


@pytest.fixture
async def service(server: EmbeddedPostgres) -> AsyncIterator[Connection]:
    """A session of the service, on a schema that the service has migrated."""
    await asyncio.to_thread(runner.upgrade, server.dsn)
    connection = await asyncpg.connect(server.dsn)
    yield connection
    await connection.close()


async def ask(dsn: str, statement: str, *values: object) -> object:
    """Return the first value of a query over a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def as_an_earlier_version_left_it(server: EmbeddedPostgres) -> None:
    """Make the home one whose service was the superuser, with a memory of two namespaces."""
    await make_bare(server)
    await asyncio.to_thread(runner.upgrade, server.admin_dsn)
    async with await Database.open(server.admin_dsn) as before:
        kept = [encode_memory(new_memory(each, "ada", f"of {each}")) for each in (1, 2)]
        await commit_memories(before, kept)


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY pinak.namespaces FROM PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/pinak-service'",
        "COPY pinak.namespaces FROM '/etc/passwd'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
        "ALTER SYSTEM SET jit = on",
        "CREATE FUNCTION pinak.evil() RETURNS int LANGUAGE c AS 'libc.so.6', 'getpid'",
        "SET ROLE pinak",
        "SET SESSION AUTHORIZATION pinak",
        "ALTER ROLE pinak_service SUPERUSER",
        "GRANT pinak TO pinak_service",
        "GRANT pg_execute_server_program TO pinak_service",
        "CREATE ROLE evil LOGIN",
        "CREATE DATABASE evil",
    ],
)
async def test_the_service_has_its_data_and_nothing_of_the_machine(
    service: Connection, statement: str
) -> None:
    """Not a program, not a file, not another role, whatever SQL runs in its session."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)


async def test_the_service_migrates_and_owns_what_it_made(
    server: EmbeddedPostgres, service: Connection
) -> None:
    """Every migration runs as the service, and the server still has all that is needed."""
    facts = await service.fetchrow(
        "SELECT session_user::text, rolsuper, rolcreaterole, rolcreatedb, rolreplication "
        "FROM pg_roles WHERE rolname = session_user"
    )
    revision = await service.fetchval("SELECT version_num FROM pinak.alembic_version")
    report = await check_server(server.dsn)

    assert tuple(facts) == ("pinak_service", False, False, False, False)
    assert revision == runner.latest_revision()
    assert (report.problems, report.warnings) == ((), ())
    assert await service.fetch(OTHERS, "pinak_service") == []


async def test_a_start_takes_rights_back(server: EmbeddedPostgres, service: Connection) -> None:
    """What somebody gave the two roles beyond their own is gone with the next start."""
    for role in ("pinak_service", "pinak_app"):
        await ask(server.admin_dsn, f"ALTER ROLE {role} SUPERUSER CREATEDB CREATEROLE REPLICATION")
    server.start()

    rights = await service.fetch(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication FROM pg_roles "
        "WHERE rolname IN ('pinak_service', 'pinak_app')"
    )
    assert [row[0] for row in rights] == [False, False]


async def test_a_home_of_before_is_moved_over_whole(server: EmbeddedPostgres) -> None:
    """Its memories stay, everything in the schema is the service's, and the next start is none."""
    await as_an_earlier_version_left_it(server)
    with pytest.raises(SetupError, match=r"service-password is not there: `pinak-ray up`"):
        _ = server.dsn

    first = server.start()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in server.home.glob("*password")}
    await asyncio.to_thread(runner.upgrade, first)

    assert await ask(first, WORDS) == ["of 1", "of 2"]
    assert await ask(first, f"SELECT count(*) FROM ({OTHERS}) AS o", "pinak_service") == 0
    assert modes == {0o600}
    assert server.start() == first


async def test_a_moved_home_is_written_and_read(server: EmbeddedPostgres) -> None:
    """The service writes every namespace; readers see the one that they may."""
    await as_an_earlier_version_left_it(server)
    dsn = server.start()
    async with await Database.open(
        dsn, reader_connections=1, reader_dsn=server.reader_dsn
    ) as moved:
        later = encode_memory(new_memory(2, "bob", "and of 2"))
        assert await commit_memories(moved, [later]) == {}
        async with moved.reading(2) as reader:
            seen = await reader.fetch("SELECT content FROM pinak.memories ORDER BY id")
            who = await reader.fetchval("SELECT session_user")

    assert [row["content"] for row in seen] == ["of 2", "and of 2"]
    assert who == "pinak_app"


async def test_the_doctor_tries_the_roles_as_they_log_in(server: EmbeddedPostgres) -> None:
    """It names the service's role, logs in as readers do, and finds a reader that can get out."""
    await asyncio.to_thread(runner.upgrade, server.dsn)
    async with await Database.open(server.dsn) as service:
        await commit_memories(service, [encode_memory(new_memory(1, "ada", "kept"))])

    async def says(dsn: str, reader_dsn: str | None) -> list[tuple[State, str]]:
        found = {each.name: each for each in await check_database(dsn, reader_dsn)}
        return [(found[name].state, found[name].says) for name in ("service role", "isolation")]

    role, wall = await says(server.dsn, server.reader_dsn)
    assert role == (State.OK, "pinak_service, no superuser")
    assert wall[0] is State.OK
    assert "logged in as pinak_app" in wall[1]

    role, wall = await says(server.admin_dsn, None)
    assert role[0] is State.WARNING
    assert "switched to pinak_app" in wall[1]

    _, wall = await says(server.dsn, server.admin_dsn)
    assert wall[0] is State.PROBLEM
    assert "gives up its role" in wall[1]


async def test_a_role_that_exists_need_not_be_made(empty_dsn: str, template: str) -> None:
    """With pinak_app granted, a role without CREATEROLE migrates: as `up` says it may."""
    del template  # pinak_app is there
    admin = await asyncpg.connect(empty_dsn)
    await admin.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
    try:
        database = await admin.fetchval("SELECT current_database()")
        await admin.execute(f"GRANT CREATE ON DATABASE {database} TO modest")
        await admin.execute("GRANT CREATE ON SCHEMA public TO modest")
        await admin.execute("GRANT pinak_app TO modest WITH SET TRUE")
        await admin.execute("CREATE EXTENSION vector")
        who, rest = empty_dsn.split("@", 1)
        modest = f"{who.split('//')[0]}//modest:modest@{rest}"
        assert (await check_server(modest)).problems == ()
        await asyncio.to_thread(runner.upgrade, modest)
        assert await ask(modest, "SELECT count(*) FROM pinak.memories") == 0
    finally:
        await admin.execute("DROP OWNED BY modest CASCADE")
        await admin.execute("DROP ROLE modest")
        await admin.close()
