"""One PostgreSQL and one Ray cluster for the whole session; a fresh database for each test.

Drivers and migrations are imported by who needs them: one file of unit tests runs in a second.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis_settings

from tests.support.places import reachable_place

if TYPE_CHECKING:
    from pinak_ray.cluster.settings import Settings
    from pinak_ray.store.database import Database
    from tests.support.reranker import RerankServer

# A busy machine is slow, and a test asserts no time. Each run draws other examples: forty a run
# find in ten runs what four hundred find in one, which is `--hypothesis-profile=thorough`.
hypothesis_settings.register_profile("usual", deadline=None, max_examples=40)
hypothesis_settings.register_profile("thorough", deadline=None, max_examples=400)
hypothesis_settings.load_profile("usual")

T = TypeVar("T")

TEMPLATE = "pinak_template"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run async work from a synchronous fixture."""
    return asyncio.run(work)


async def execute(dsn: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    import asyncpg

    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def with_database(dsn: str, name: str) -> str:
    """Return the DSN of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def reachable_dir() -> Iterator[Path]:
    """A directory that the server's own user can enter; pytest's are closed to it."""
    path = reachable_place()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def server_dsn(reachable_dir: Path) -> Iterator[str]:
    """The session's PostgreSQL: PINAK_TEST_DSN, or an embedded one without fsync."""
    given = os.environ.get("PINAK_TEST_DSN")
    if given:
        yield given
        return
    from pinak_ray.cluster.postgres.server import EmbeddedPostgres

    with EmbeddedPostgres(reachable_dir / "pg", durable=False) as server:
        yield server.admin_dsn


@pytest.fixture(scope="session")
def template(server_dsn: str) -> str:
    """A migrated database that tests are cloned from."""
    from pinak_ray.migrations import runner

    run(execute(server_dsn, f"DROP DATABASE IF EXISTS {TEMPLATE}"))
    run(execute(server_dsn, f"CREATE DATABASE {TEMPLATE}"))
    runner.upgrade(with_database(server_dsn, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_dsn(server_dsn: str) -> Iterator[str]:
    """A fresh database without a schema."""
    name = f"t_{uuid4().hex}"
    run(execute(server_dsn, f"CREATE DATABASE {name}"))
    yield with_database(server_dsn, name)
    run(execute(server_dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def dsn(server_dsn: str, template: str) -> Iterator[str]:
    """A fresh migrated database."""
    name = f"t_{uuid4().hex}"
    run(execute(server_dsn, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield with_database(server_dsn, name)
    run(execute(server_dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(dsn: str) -> "AsyncIterator[Database]":
    """Pools on a fresh migrated database."""
    from pinak_ray.store.database import Database

    async with await Database.open(dsn, reader_connections=2) as opened:
        yield opened


@pytest.fixture(scope="session")
def rerank_server() -> "Iterator[RerankServer]":
    """An endpoint that reranks: the session's stack, and twins, ask it where they are told to."""
    from tests.support.reranker import RerankServer

    server = RerankServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stack_settings(
    server_dsn: str, reachable_dir: Path, rerank_server: "RerankServer"
) -> "Iterator[Settings]":
    """The session's whole stack, running: Ray, actors, gateways behind HAProxy."""
    from pinak_ray.cluster.settings import Settings
    from pinak_ray.cluster.stack import down, up

    run(execute(server_dsn, "CREATE DATABASE stack"))
    settings = Settings(
        home=reachable_dir / "home",
        dsn=with_database(server_dsn, "stack"),
        http_port=0,
        num_cpus=8,
        rerank_url=rerank_server.url,
        rerank_always=False,
        rerank_timeout_s=30.0,
    )
    up(settings)
    yield settings
    down(settings)
    run(execute(server_dsn, "DROP DATABASE stack WITH (FORCE)"))
