"""The embedded server is reached in whatever environment the user's other tools have."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import reachable_place

pytestmark = pytest.mark.postgres

_USE = """
import asyncio, sys
from pathlib import Path
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.postgres.config import ServerSettings
from pinak_ray.migrations import runner
from pinak_ray.store.database import Database

async def ask(dsn):
    async with await Database.open(dsn, reader_connections=1) as database:
        await database.ping()

server = EmbeddedPostgres(
    Path(sys.argv[1]), durable=False,
    settings=ServerSettings(shared_buffers_mb=32, max_connections=20),
)
with server:
    runner.upgrade(server.dsn)
    asyncio.run(ask(server.dsn))
print(server.is_alive())
"""
_ELSEWHERE = {
    "PGHOST": "db.example.com", "PGPORT": "1", "PGUSER": "me", "PGPASSWORD": "x",
    "PGDATABASE": "mine", "PGDATA": "/nowhere", "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere/root.crt", "PGSSLNEGOTIATION": "direct",
    "PGTARGETSESSIONATTRS": "standby", "PGOPTIONS": "-c search_path=mine", "PGSERVICE": "mine",
    "PGSERVICEFILE": "/nowhere/service.conf", "PGPASSFILE": "/nowhere/pgpass", "PGGSSLIB": "none",
    "PGTZ": "Mars/Olympus", "PGCLIENTENCODING": "LATIN1",
}  # fmt: skip


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's own user can enter; what is in it stays small."""
    path = reachable_place()
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("data", _ELSEWHERE),
        ('50%25 of Jürgen\'s "data"', {"LC_ALL": "C"}),
        ("data", {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": ""}),
        ("data", {"TMPDIR": "/nowhere", "LANG": "xx_YY.UTF-8", "HOME": "/nowhere"}),
    ],
)
def test_a_server_starts_migrates_and_answers(
    place: Path, name: str, environment: dict[str, str]
) -> None:
    """Variables of other servers, locales that are not there, and odd names change nothing."""
    done = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-c", _USE, place / name],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr[-2000:]
