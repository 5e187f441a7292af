"""What a command may know of the stack in a home directory without joining Ray."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx

from pinak_ray import __version__
from pinak_ray.client.discovery import StackFile, usual_home
from pinak_ray.client.identity import check_own
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning, SetupError
from pinak_ray.store.database import Database

__all__ = [
    "dsn_of", "embedded", "home_option", "is_ready", "on_database", "reader_dsn_of", "readiness",
    "token_command",
]  # fmt: skip

R = TypeVar("R")

_READY_TIMEOUT_S = 5.0


def embedded(settings: Settings) -> EmbeddedPostgres | None:
    """Return the home's own PostgreSQL, None where the database is another's or not made yet."""
    place = settings.home / "postgres"
    if settings.dsn is not None or not place.exists():
        return None
    return EmbeddedPostgres(place, bin_dir=settings.pg_bin, durable=settings.durable)


def dsn_of(settings: Settings) -> str:
    """Return the DSN of the stack's database; raises SetupError when only `--dsn` can know it."""
    if settings.dsn is not None:
        return settings.dsn.get_secret_value()
    server = embedded(settings)
    if server is None:
        raise SetupError(
            f"{settings.home} holds no PostgreSQL of its own; name the stack's with --dsn or "
            "PINAK_DSN"
        )
    return server.dsn


def on_database(settings: Settings, work: Callable[[Database], Awaitable[R]]) -> R:
    """Do an operator's work on the stack's database, with time for a long statement."""

    async def run() -> R:
        database = await Database.open(
            dsn_of(settings),
            service_connections=2,
            reader_connections=2,
            statement_timeout_s=300.0,
            name="pinak-ray command",
        )
        async with database:
            return await work(database)

    return asyncio.run(run())


def reader_dsn_of(settings: Settings) -> str | None:
    """Return as whom reads log in; None where they are sessions of the service's role."""
    if settings.reader_dsn is not None:
        return settings.reader_dsn.get_secret_value()
    server = embedded(settings)
    return None if server is None else server.reader_dsn


def readiness(url: str, home: Path) -> tuple[int | None, str]:
    """Ask the home's gateway whether every part answers; (None, why) when it does not listen."""
    try:
        check_own(url, home)
        answer = httpx.get(f"{url}/readyz", timeout=_READY_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, NotRunning) as error:
        return None, str(error) or type(error).__name__
    return answer.status_code, answer.text


def is_ready(home: Path) -> str | None:
    """Return the URL of a stack of this version that is whole, None otherwise."""
    try:
        stack = StackFile.read(home)
    except NotRunning:
        return None
    if stack.url is None or stack.version != __version__:
        return None
    status, _ = readiness(stack.url, home)
    return stack.url if status == 200 else None


def home_option(settings: Settings) -> str:
    """Return ` --home PLACE` where the home is not the one that commands take by themselves."""
    return "" if settings.home == usual_home() else f" --home {shlex.quote(str(settings.home))}"


def token_command(settings: Settings, *, project: str = "default") -> str:
    """Return the command that prints a token for this stack."""
    named = "" if project == "default" else f" --project {shlex.quote(project)}"
    return f"pinak-ray token{home_option(settings)}{named}"
