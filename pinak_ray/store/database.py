"""Connections: one pool for the service, one that row-level security walls in."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self, TypeAlias, cast
from uuid import UUID, SafeUUID

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from pinak_ray.records.errors import PinakError, SetupError
from pinak_ray.store.connecting import connect
from pinak_ray.store.faults import DATABASE_ERRORS, refusal, translated

__all__ = ["SCHEMA", "Connection", "Database", "microseconds", "uuid_of"]

SCHEMA = "pinak"

# The asyncpg classes are generic in the stubs only.
Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"

_ACQUIRE_TIMEOUT_S = 30.0
_CONNECT_TIMEOUT_S = 60.0
# Idle this long, a connection is replaced: it would otherwise keep its catalogue caches for ever.
_RECYCLE_AFTER_S = 1800.0
# A server that takes no writes may have been demoted: the pools look again for the primary. Not
# with each failed write, since looking costs the server a process.
_EXPIRE_EVERY_S = 1.0
# While the server has no connection left for a pool that has some, whoever waits looks so often.
_FULL_PAUSE_S = 0.1

_READER_ROLE = "pinak_app"
_ANY_MEMORY = "SELECT EXISTS (SELECT FROM pinak.memories)"
_NOT_WALLED_IN = (
    f"a session that was started as {_READER_ROLE} is {{user}}'s, or sees all namespaces: a pooler "
    "may stand before PostgreSQL; name the server itself in the DSN"
)

_SESSION = {
    "search_path": f"{SCHEMA}, public",
    # Compiling costs more than any of our queries runs.
    "jit": "off",
    # A generic plan for a namespace's scan took 13.7 ms where a custom one takes 1.5.
    "plan_cache_mode": "force_custom_plan",
    "timezone": "UTC",
}

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return PostgreSQL's binary timestamptz: microseconds since 2000-01-01 UTC."""
    return (moment - _POSTGRES_EPOCH) // _MICROSECOND


def uuid_of(raw: bytes) -> UUID:
    """Return the id of 16 bytes, in a third of the time that its own checks take."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", int.from_bytes(raw, "big"))
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


async def _register_codecs(connection: Connection) -> None:
    """Pass jsonb, tsvector and halfvec through as bytes: whoever needs the value decodes it once.

    An id may be given as its 16 bytes.

    asyncpg's own UUID class would leak into records, and not every JSON encoder takes it.
    """
    await connection.set_type_codec(
        "uuid",
        schema="pg_catalog",
        encoder=lambda value: value if isinstance(value, bytes) else value.bytes,
        decoder=uuid_of,
        format="binary",
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda encoded: b"\x01" + encoded,  # the binary jsonb format starts with a version
        decoder=lambda raw: bytes(raw[1:]),
        format="binary",
    )
    await connection.set_type_codec(
        "tsvector", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
    )
    schema = await connection.fetchval(
        "SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
        "WHERE t.typname = 'halfvec'"
    )
    if schema is not None:
        await connection.set_type_codec(
            "halfvec", schema=schema, encoder=bytes, decoder=bytes, format="binary"
        )


async def _keep_session(connection: Connection) -> None:
    """Return a connection without the round trip of RESET ALL: no use of ours leaves a trace.

    `reading` has it see the right namespace each time it lends one, before any query can run.
    """
    if connection.is_in_transaction():
        raise RuntimeError("a connection came back in the middle of a transaction")


async def _begin_reading(connection: Connection) -> None:
    """Prepare a reader, which must be walled in: what stands between may drop how it was started.

    Without a namespace the policies raise, or show no row where there is none.
    """
    await _register_codecs(connection)
    user = await connection.fetchval("SELECT current_user")
    with suppress(asyncpg.PostgresError):
        if user == _READER_ROLE and not await connection.fetchval(_ANY_MEMORY):
            return
        raise SetupError(_NOT_WALLED_IN.format(user=user))


class _Reader(asyncpg.Connection):
    """A connection that knows what it was told to see, and is not told again: a round trip."""

    _sees: tuple[int, bool] | None = None

    async def see(self, namespace_id: int, *, generic_plans: bool) -> None:
        """Have row-level security show one namespace; until it is told, it shows none."""
        wanted = namespace_id, generic_plans
        if self._sees == wanted:
            return
        self._sees = None  # neither the old nor the new is sure, should this be cancelled
        await self.fetchrow(
            "SELECT set_config('pinak.namespace_id', $1, false),"
            " set_config('plan_cache_mode', $2, false),"
            " set_config('enable_seqscan', $3, false)",
            str(namespace_id),
            "force_generic_plan" if generic_plans else "force_custom_plan",
            # A plan that is kept from when the tables were empty would read them whole for
            # each key, until they are analysed.
            "off" if generic_plans else "on",
        )
        self._sees = wanted


def _attributes_of(dsn: str) -> SessionAttribute | None:
    """Return which servers a pool takes: the primary, unless the DSN says for itself.

    A standby that serves reads would otherwise keep its connections after a failover, refuse each
    write, and answer reads with the past. Costs nothing: PostgreSQL says at the start what it is.
    """
    return None if "target_session_attrs" in dsn else SessionAttribute.primary


def _named(name: str, statement_timeout_s: float) -> dict[str, str]:
    milliseconds = str(int(statement_timeout_s * 1000))
    return {"application_name": name, "statement_timeout": milliseconds}


async def _open_pool(
    dsn: str,
    size: int,
    kind: type["asyncpg.Connection[Any]"] = asyncpg.Connection,
    init: Callable[[Connection], Coroutine[Any, Any, None]] = _register_codecs,
    *,
    statement_timeout_s: float,
    name: str,
    **settings: str,
) -> "asyncpg.Pool[Any]":
    opened: asyncpg.Pool[Any] = await asyncpg.create_pool(
        dsn,
        connect=cast("Any", connect),
        connection_class=kind,
        min_size=1,
        max_size=size,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=statement_timeout_s + 5,
        max_inactive_connection_lifetime=_RECYCLE_AFTER_S,
        server_settings={**_SESSION, **_named(name, statement_timeout_s), **settings},
        target_session_attrs=_attributes_of(dsn),
        reset=_keep_session,
        init=init,
    )
    return opened


def _is_gone(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


@dataclass(slots=True)
class Database:
    """Two bounded pools over one DSN.

    `service` owns the tables and serves every namespace (writers, indexers, hosts). `reading` runs
    as `pinak_app`, which cannot bypass row-level security and sees one namespace at a time.
    """

    _service: "asyncpg.Pool[Any]"
    _reader: "asyncpg.Pool[Any] | None"
    _expired_at: float = -math.inf

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        service_connections: int = 4,
        reader_connections: int = 0,
        reader_dsn: str | None = None,
        statement_timeout_s: float = 30.0,
        name: str = "pinak-ray",
    ) -> Self:
        """Connect; raises DatabaseUnavailable if the server does not let us within a minute.

        `reader_dsn` logs the reading role in by itself: without it readers are sessions of the
        service's role that were switched at their start, and SQL could switch them back.
        """
        pool = partial(_open_pool, statement_timeout_s=statement_timeout_s, name=name)
        service = None
        try:
            service = await pool(dsn, service_connections)
            # The role is part of the connection's start: no statement of ours can run before it.
            reader = None
            if reader_connections:
                reader = await pool(
                    reader_dsn or dsn,
                    reader_connections,
                    _Reader,
                    _begin_reading,
                    role=_READER_ROLE,
                )
        except (*DATABASE_ERRORS, SetupError) as error:
            if service is not None:  # a part that opens again and again must not pile them up
                service.terminate()
            if isinstance(error, asyncpg.ClientConfigurationError | SetupError):
                raise
            raise refusal(error) from error
        return cls(service, reader)

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Connection]:
        """Lend a connection that serves all namespaces."""
        async with self._acquire(self._service) as connection:
            yield connection

    @asynccontextmanager
    async def reading(
        self, namespace_id: int, *, generic_plans: bool = False
    ) -> AsyncIterator[Connection]:
        """Lend a connection that can see this namespace and no other.

        Without the setting the policies fail closed, because an empty setting is no integer.
        `generic_plans` keeps the plans of statements that look up by key whatever they are asked:
        planning takes as long as running those.
        """
        if self._reader is None:
            raise RuntimeError("this Database was opened without reader connections")
        async with self._acquire(self._reader) as connection:
            await cast("_Reader", connection).see(namespace_id, generic_plans=generic_plans)
            yield connection

    @asynccontextmanager
    async def _acquire(self, pool: "asyncpg.Pool[Any]") -> AsyncIterator[Connection]:
        connection = await self._lent(pool)
        try:
            yield connection
        except DATABASE_ERRORS as error:
            if not (
                isinstance(error, asyncpg.PostgresError | TimeoutError) or _is_gone(connection)
            ):
                raise  # of something else in the block: an embedder's socket, wrong arguments
            raise await self._told(error) from error
        finally:
            await pool.release(connection, timeout=_ACQUIRE_TIMEOUT_S)

    async def _lent(self, pool: "asyncpg.Pool[Any]") -> "asyncpg.pool.PoolConnectionProxy[Any]":
        """Return a connection; where the server has none left, one that the pool gets back."""
        until = time.monotonic() + _ACQUIRE_TIMEOUT_S
        while True:
            try:
                return await pool.acquire(timeout=max(0.0, until - time.monotonic()))
            except DATABASE_ERRORS as error:
                full = isinstance(error, asyncpg.TooManyConnectionsError) and pool.get_size()
                if not full or time.monotonic() + _FULL_PAUSE_S > until:
                    raise refusal(error) from error
            await asyncio.sleep(_FULL_PAUSE_S)

    async def _told(self, error: Exception) -> PinakError:
        """Return what a caller hears of this; a server that takes no writes is left."""
        now = time.monotonic()
        if (
            isinstance(error, asyncpg.ReadOnlySQLTransactionError)
            and now - self._expired_at >= _EXPIRE_EVERY_S
        ):
            self._expired_at = now
            for pool in (self._service, self._reader):
                if pool is not None:
                    await pool.expire_connections()
        return translated(error)

    async def ping(self) -> None:
        """Return when a query succeeds; raises Unavailable otherwise."""
        try:
            async with asyncio.timeout(5), self.service() as connection:
                await connection.fetchval("SELECT 1")
        except TimeoutError as error:
            raise translated(error) from error

    async def aclose(self) -> None:
        """Close both pools, waiting at most 10 s for connections in use."""
        for pool in (self._service, self._reader):
            if pool is None:
                continue
            try:
                await asyncio.wait_for(pool.close(), 10)
            except TimeoutError:
                pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
