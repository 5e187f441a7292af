"""What must be there before the actors: the database, its schema, the keys and the model."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from pinak_ray.cluster.connection_room import check_room
from pinak_ray.cluster.first_model import prepare_model
from pinak_ray.cluster.postgres.external import check_server
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.migrations import runner
from pinak_ray.records.errors import PinakError, SetupError
from pinak_ray.security.keys import KeyRing
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.renamed_names import Renamed, renamed_names
from pinak_ray.store.signing_keys import publish_keys

__all__ = ["Prepared", "Progress", "end", "prepare"]

Progress = Callable[[str], None]
"""Told each step as it begins, for a progress display."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database that is ready for a stack's actors, and who starts it again, if that is us."""

    config: StackConfig
    keeper: EmbeddedPostgres | None


def prepare(settings: Settings, progress: Progress, undo: ExitStack, *, ran: bool) -> Prepared:
    """Start or check the database, migrate it, publish our keys, and make the model ready.

    Blocking; not on an event loop's thread. `undo` gets what ends that which this call started, if
    the stack did not run before. Raises SetupError that says what is lacking.
    """
    keeper = _embedded(settings)
    if keeper is not None and not ran and keeper.postmaster_pid is None:
        undo.callback(end, "PostgreSQL", keeper.stop, progress)
    dsn = _database(settings, keeper, progress)
    _migrate(dsn, progress)
    ring = KeyRing.load_or_create(settings.home / "keys")
    asyncio.run(_publish(dsn, ring))
    if not ran:
        asyncio.run(_check_room(settings, dsn, progress))
    progress("loading the embedding model")
    _prepare_model(settings, dsn, progress)
    return Prepared(settings.stack_config(dsn, keeper.reader_dsn if keeper else None), keeper)


def end(part: str, stop: Callable[[], object], progress: Progress) -> None:
    """End what a failed start had started; that it failed is the news, and what does not end."""
    progress(f"ending {part}, which this start had started")
    try:
        stop()
    except PinakError as error:
        progress(str(error))


def _embedded(settings: Settings) -> EmbeddedPostgres | None:
    if settings.dsn is not None:
        return None
    return EmbeddedPostgres(
        settings.home / "postgres", bin_dir=settings.pg_bin, durable=settings.durable
    )


def _database(settings: Settings, server: EmbeddedPostgres | None, progress: Progress) -> str:
    if server is not None:
        progress("starting PostgreSQL")
        return server.start(on_progress=progress)
    assert settings.dsn is not None
    progress("checking PostgreSQL")
    dsn = settings.dsn.get_secret_value()
    report = asyncio.run(check_server(dsn))
    if report.problems:
        raise SetupError("this PostgreSQL cannot be used:\n- " + "\n- ".join(report.problems))
    return dsn


def _migrate(dsn: str, progress: Progress) -> None:
    """Bring the schema up to date, and tell of names that it changed: somebody looks for them."""
    progress("migrating the database")
    before = asyncio.run(_renamed(dsn))
    runner.upgrade(dsn)
    after = asyncio.run(_renamed(dsn))
    if after != before:
        progress(str(after))


async def _renamed(dsn: str) -> Renamed:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        return await renamed_names(connection)


async def _publish(dsn: str, ring: KeyRing) -> None:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        await publish_keys(connection, ring.public_keys)


async def _check_room(settings: Settings, dsn: str, progress: Progress) -> None:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        warning = await check_room(connection, settings, dsn)
    if warning is not None:
        progress(warning)


def _prepare_model(settings: Settings, dsn: str, progress: Progress) -> None:
    """Build the model files here, where progress can be shown, and not in an actor."""

    def report(step: str, fraction: float) -> None:
        progress(f"embedding model: {step} {fraction:.0%}")

    async def prepare() -> None:
        async with await Database.open(dsn, service_connections=1) as database:
            config = settings.stack_config(dsn)
            await prepare_model(database, config, report=report, progress=progress)

    asyncio.run(prepare())
