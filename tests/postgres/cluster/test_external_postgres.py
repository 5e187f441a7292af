"""A server of somebody else is judged before anything is made in it."""

import asyncio
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from pinak_ray.cluster.postgres.config import ServerSettings
from pinak_ray.cluster.postgres.external import ServerFacts, check_server, judge
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.records.errors import SetupError
from tests.support.bare_server import make_bare
from tests.support.places import reachable_place

pytestmark = pytest.mark.postgres

GOOD = ServerFacts(
    version="18.4",
    version_num=180_004,
    user_name="app",
    database_name="app",
    encoding="UTF8",
    is_standby=False,
    is_superuser=False,
    can_create_role=True,
    bypass_rls=True,
    can_create_in_database=True,
    can_create_in_schema=True,
    may_use_app_role=None,
    pgvector_available="0.8.5",
    pgvector_installed="0.8.5",
    pgvector_trusted=False,
)


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """The superuser's DSN of a server for this module."""
    place = reachable_place()
    settings = ServerSettings(shared_buffers_mb=32, max_connections=20)
    server = EmbeddedPostgres(place / "data", durable=False, settings=settings)
    try:
        server.start()
        asyncio.run(make_bare(server))
        yield server.admin_dsn
    finally:
        server.stop()
        shutil.rmtree(place)


async def test_the_embedded_server_has_all_that_is_needed(dsn: str) -> None:
    """Our own server passes with no problem and no warning."""
    report = await check_server(dsn)
    assert report.problems == ()
    assert report.warnings == ()
    assert report.version_num >= 180_000
    assert report.pgvector_available is not None
    assert (report.is_superuser, report.can_create_role) == (True, True)
    assert (report.can_create_extension, report.bypass_rls) == (True, True)


async def test_each_problem_names_the_command_that_mends_it(dsn: str) -> None:
    """A role without rights is told of each; running what the texts say leaves no problem."""
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute("CREATE ROLE \"Poor One\" LOGIN PASSWORD 'poor'")
        user, poor = dsn.split("@", 1)[0], "postgresql://Poor%20One:poor"
        report = await check_server(dsn.replace(user, poor))
        assert len(report.problems) == 4
        assert len(report.warnings) == 1
        assert report.can_create_extension is False
        for text in (*report.problems, *report.warnings):
            for command in re.findall("`(.+?)`", text):
                await admin.execute(command)
        mended = await check_server(dsn.replace(user, poor))
        assert (mended.problems, mended.warnings) == ((), ())
    finally:
        await admin.close()


async def test_a_wrong_password_is_told_without_the_password(dsn: str) -> None:
    """A refusal becomes a SetupError that names the server and not the secret."""
    user = dsn.split("@", 1)[0]
    with pytest.raises(SetupError, match="password authentication failed") as caught:
        await check_server(dsn.replace(user, "postgresql://pinak:s3cret"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("secret", ["s3/cret", "s3#cret", "s3?cret", "s3[cret", "s3:cret@x"])
async def test_a_malformed_dsn_leaks_nothing(secret: str) -> None:
    """A DSN that cannot be read is refused in words that hold no part of the password."""
    with pytest.raises(SetupError) as caught:
        await check_server(f"postgresql://me:{secret}@127.0.0.1:1/db", timeout_s=2)
    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)


async def test_a_parameter_that_nobody_knows_is_named(dsn: str) -> None:
    """The server's own words would not say where it stands."""
    with pytest.raises(SetupError, match="parameter frobnicate, which PostgreSQL does not know"):
        await check_server(f"{dsn}&frobnicate=1")


async def test_pgvector_in_another_schema_is_named_before_anything_is_made(dsn: str) -> None:
    """Managed servers put it into a schema of its own; what the text says mends it."""
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute("CREATE DATABASE elsewhere")
        there = dsn.replace("/pinak?", "/elsewhere?")
        inside = await asyncpg.connect(there)
        await inside.execute("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
        (problem,) = (await check_server(there)).problems
        (mend,) = re.findall("`(.+?)`", problem)
        await inside.execute(mend)
        await inside.close()
        assert (await check_server(there)).problems == ()
    finally:
        await admin.execute("DROP DATABASE elsewhere WITH (FORCE)")
        await admin.close()


def test_an_old_pgvector_is_used_with_a_warning() -> None:
    """Its fault lies in parallel builds, which are none of ours."""
    report = judge(replace(GOOD, pgvector_installed="0.8.0"))
    assert report.problems == ()
    assert "CVE-2026-3172" in report.warnings[0]


async def test_a_server_that_is_not_there_is_told() -> None:
    """A closed port is said at once, with the address."""
    with pytest.raises(SetupError, match=r"cannot reach PostgreSQL at 127\.0\.0\.1:1"):
        await check_server("postgresql://me:s3cret@127.0.0.1:1/db")


async def test_a_silent_server_is_given_up() -> None:
    """A server that accepts and never answers costs the timeout and no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SetupError, match=r"did not answer within 0\.2 s"):
            await check_server(f"postgresql://me:x@127.0.0.1:{port}/db", timeout_s=0.2)


def test_a_server_that_has_all_is_left_in_peace() -> None:
    """Good facts make an empty list, and lacking BYPASSRLS is a warning only."""
    assert judge(GOOD).problems == ()
    report = judge(replace(GOOD, bypass_rls=False))
    assert report.problems == ()
    assert "BYPASSRLS" in report.warnings[0]


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"version_num": 150_000, "version": "15.9"}, "pg_upgrade"),
        ({"is_standby": True}, "target_session_attrs=read-write"),
        ({"encoding": "SQL_ASCII"}, "ENCODING 'UTF8'"),
        ({"pgvector_installed": "0.7.4"}, "ALTER EXTENSION vector UPDATE"),
        ({"pgvector_schema": "extensions"}, "ALTER EXTENSION vector SET SCHEMA public"),
        ({"pgvector_installed": None}, "CREATE EXTENSION vector"),
        ({"pgvector_installed": None, "pgvector_available": None}, "postgresql-18-pgvector"),
        ({"pgvector_installed": "0.7.4", "pgvector_available": "0.7.1"}, "apt-get install"),
        ({"may_use_app_role": False}, "GRANT pinak_app TO app"),
        ({"can_create_role": False}, "CREATE ROLE pinak_app NOLOGIN"),
    ],
)
def test_what_is_lacking_is_named_with_its_remedy(change: dict[str, object], mend: str) -> None:
    """Each single lack is one problem, whose text holds the command that mends it."""
    (problem,) = judge(replace(GOOD, **change)).problems  # type: ignore[arg-type]
    assert mend in problem


def test_a_trusted_pgvector_needs_no_superuser() -> None:
    """Where pgvector is a trusted extension, the right to create in the database is enough."""
    facts = replace(GOOD, pgvector_installed=None, pgvector_trusted=True)
    assert judge(facts).problems == ()
