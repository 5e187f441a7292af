"""What a server that somebody else runs (`--dsn`) lacks, and the command that mends it."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

import asyncpg

from pinak_ray.cluster.postgres.poolers import pooler_fault
from pinak_ray.records.errors import SetupError
from pinak_ray.store.connecting import connect

__all__ = [
    "APP_ROLE",
    "MIN_PGVECTOR",
    "MIN_VERSION_NUM",
    "ServerFacts",
    "ServerReport",
    "check_server",
    "judge",
]

APP_ROLE: Final = "pinak_app"
"""The role that every request reads as; row-level security binds it."""
MIN_VERSION_NUM: Final = 160_000
MIN_PGVECTOR: Final = (0, 8, 0)
"""The first with iterative scans and halfvec's operators as we use them."""
_SAFE_PGVECTOR: Final = (0, 8, 2)
"""Older ones overflow a buffer in a parallel HNSW build (CVE-2026-3172); ours is not parallel."""

_MIN_PGVECTOR_TEXT: Final = ".".join(str(part) for part in MIN_PGVECTOR)

_QUOTED: Final = re.compile(r'"([^"]*)"')
_FACTS_SQL: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_num,
       quote_ident(current_user) AS user_name,
       quote_ident(current_database()) AS database_name,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS is_standby,
       me.rolsuper AS is_superuser,
       me.rolsuper OR me.rolcreaterole AS can_create_role,
       me.rolsuper OR me.rolbypassrls AS bypass_rls,
       has_database_privilege(current_database(), 'CREATE') AS can_create_in_database,
       coalesce((SELECT has_schema_privilege(oid, 'CREATE')
                   FROM pg_namespace WHERE nspname = 'public'), false) AS can_create_in_schema,
       (SELECT pg_has_role(oid, 'SET') OR pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')
          FROM pg_roles WHERE rolname = $1) AS may_use_app_role,
       (SELECT default_version
          FROM pg_available_extensions WHERE name = 'vector') AS pgvector_available,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector_installed,
       (SELECT quote_ident(n.nspname) FROM pg_extension AS e
          JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector')
         AS pgvector_schema,
       coalesce((SELECT bool_or(trusted)
                   FROM pg_available_extension_versions WHERE name = 'vector'), false)
         AS pgvector_trusted
  FROM pg_roles AS me
 WHERE me.rolname = current_user
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What the server said about itself and about us; the names are quoted for SQL."""

    version: str
    version_num: int
    user_name: str
    database_name: str
    encoding: str
    is_standby: bool
    is_superuser: bool
    can_create_role: bool
    bypass_rls: bool
    can_create_in_database: bool
    can_create_in_schema: bool
    may_use_app_role: bool | None
    """None: the role does not exist yet."""
    pgvector_available: str | None
    pgvector_installed: str | None
    pgvector_trusted: bool
    pgvector_schema: str | None = None
    """Where it is installed; None: not yet."""

    @property
    def can_create_extension(self) -> bool:
        """Whether CREATE EXTENSION vector would be allowed."""
        return self.is_superuser or (self.pgvector_trusted and self.can_create_in_database)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """The verdict: any of `problems` stops a start; `warnings` cost speed only.

    Each text says what is lacking and, between backticks, the SQL or command that mends it.
    """

    version: str
    version_num: int
    user_name: str = ""
    pgvector_available: str | None = None
    pgvector_installed: str | None = None
    is_superuser: bool = False
    can_create_role: bool = False
    can_create_extension: bool = False
    bypass_rls: bool = False
    is_pooled: bool = False
    """Nothing else was asked: another session might have answered."""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


async def check_server(dsn: str, *, timeout_s: float = 10.0) -> ServerReport:
    """Ask the server named by `dsn` what pinak-ray needs of it, within `timeout_s` seconds.

    Raises SetupError if it cannot be reached; no text ever holds the password.
    """
    where = _describe(dsn)
    try:
        async with asyncio.timeout(timeout_s):
            # No statement cache: a connection pooler may stand in between.
            pooler = await pooler_fault(dsn, timeout_s=timeout_s / 4)
            if pooler is not None:
                return ServerReport(
                    version="behind a pooler",
                    version_num=0,
                    is_pooled=True,
                    problems=(_pooled(pooler),),
                )
            connection = await connect(dsn, timeout=timeout_s, statement_cache_size=0)
            try:
                return await _report(connection)
            finally:
                await connection.close(timeout=timeout_s)
    except TimeoutError:
        raise SetupError(f"PostgreSQL at {where} did not answer within {timeout_s:g} s") from None
    except OSError as error:
        raise SetupError(
            f"cannot reach PostgreSQL at {where}: {error.strerror or error}"
        ) from error
    except asyncpg.UndefinedObjectError as error:
        named = _QUOTED.search(str(error))
        raise SetupError(
            f"the DSN for {where} has the parameter {named[1] if named else '?'}, which PostgreSQL "
            "does not know; leave it away"
        ) from error
    except asyncpg.PostgresError as error:
        raise SetupError(f"PostgreSQL at {where} refuses: {error}") from error
    except (ValueError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        # Their texts quote parts of the DSN, so the cause is dropped too.
        raise SetupError(
            f"the DSN for {where} is not understood; it should look like "
            "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters as %XX"
        ) from None


def judge(facts: ServerFacts) -> ServerReport:
    """Turn the facts into the verdict."""
    return ServerReport(
        version=facts.version,
        version_num=facts.version_num,
        user_name=facts.user_name,
        pgvector_available=facts.pgvector_available,
        pgvector_installed=facts.pgvector_installed,
        is_superuser=facts.is_superuser,
        can_create_role=facts.can_create_role,
        can_create_extension=facts.can_create_extension,
        bypass_rls=facts.bypass_rls,
        problems=(*_server_problems(facts), *_pgvector_problems(facts), *_right_problems(facts)),
        warnings=tuple(_warnings(facts)),
    )


async def _report(connection: "asyncpg.Connection[asyncpg.Record]") -> ServerReport:
    number = int(await connection.fetchval("SELECT current_setting('server_version_num')"))
    if number < MIN_VERSION_NUM:
        # Its catalogues lack what the other questions ask for.
        version = str(await connection.fetchval("SELECT current_setting('server_version')"))
        return ServerReport(version=version, version_num=number, problems=(_too_old(version),))
    row = await connection.fetchrow(_FACTS_SQL, APP_ROLE)
    assert row is not None
    return judge(ServerFacts(**dict(row)))


def _warnings(facts: ServerFacts) -> list[str]:
    warnings = []
    installed = facts.pgvector_installed
    if installed is not None and not _at_least(installed, _SAFE_PGVECTOR):
        warnings.append(
            f"pgvector {installed} has a fault in parallel builds of an index (CVE-2026-3172); "
            "pinak-ray's are not, others' may be; `ALTER EXTENSION vector UPDATE`"
        )
    if not facts.bypass_rls:
        warnings.append(
            "writes cannot use COPY, because row-level security binds this role, and are slower; "
            f"as a superuser: `ALTER ROLE {facts.user_name} BYPASSRLS`"
        )
    return warnings


def _pooled(fault: str) -> str:
    return (
        f"a connection pooler (PgBouncer or the like) answers in the server's place, and {fault}; "
        "name the server itself in the DSN: as a rule the same host on port 5432, or the one "
        "without `-pooler`"
    )


def _too_old(version: str) -> str:
    return (
        f"PostgreSQL is {version}, and 16 is the oldest that works; upgrade it with `pg_upgrade`, "
        "or leave the DSN away to use the embedded server"
    )


def _server_problems(facts: ServerFacts) -> list[str]:
    problems = []
    if facts.version_num < MIN_VERSION_NUM:
        problems.append(_too_old(facts.version))
    if facts.is_standby:
        problems.append(
            "the server is a read-only standby; name the primary, or let the driver find it: "
            "`postgresql://USER@HOST1,HOST2/DATABASE?target_session_attrs=read-write`"
        )
    if facts.encoding != "UTF8":
        problems.append(
            f"the database's encoding is {facts.encoding}, and texts need UTF8; make another: "
            "`CREATE DATABASE pinak ENCODING 'UTF8' TEMPLATE template0`"
        )
    return problems


def _pgvector_problems(facts: ServerFacts) -> list[str]:
    available, installed = facts.pgvector_available, facts.pgvector_installed
    if installed is not None and _at_least(installed, MIN_PGVECTOR):
        if facts.pgvector_schema in (None, "public"):
            return []
        problem = (
            f"pgvector is installed in the schema {facts.pgvector_schema}, and is looked for in "
            "public; as its owner: `ALTER EXTENSION vector SET SCHEMA public`"
        )
        return [problem]
    if available is None or not _at_least(available, MIN_PGVECTOR):
        has = "is not available" if available is None else f"is {available}"
        then = "" if installed is None else ", and then `ALTER EXTENSION vector UPDATE`"
        problem = (
            f"pgvector {has} on the server, and {_MIN_PGVECTOR_TEXT} is needed; on its machine: "
            f"`apt-get install postgresql-{facts.version_num // 10_000}-pgvector`{then}"
        )
        return [problem]
    if installed is not None:
        problem = (
            f"pgvector is {installed} in this database, and {_MIN_PGVECTOR_TEXT} is needed; "
            "as a superuser: `ALTER EXTENSION vector UPDATE`"
        )
        return [problem]
    if facts.can_create_extension:
        return []
    problem = (
        f"pgvector is not installed in {facts.database_name}, and this role may not do so; "
        "in that database as a superuser: `CREATE EXTENSION vector`"
    )
    return [problem]


def _right_problems(facts: ServerFacts) -> list[str]:
    me, database = facts.user_name, facts.database_name
    problems = []
    if not facts.can_create_in_database:
        problems.append(
            f"{me} may not create in the database {database}; as its owner: "
            f"`GRANT CREATE ON DATABASE {database} TO {me}`"
        )
    if not facts.can_create_in_schema:
        problems.append(
            f"{me} may not create tables in the schema public; as the database's owner: "
            f"`GRANT CREATE ON SCHEMA public TO {me}`"
        )
    if facts.may_use_app_role is None and not facts.can_create_role:
        problems.append(
            f"{me} may not create the role {APP_ROLE}, which requests run as; as a superuser: "
            f"`CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO {me} WITH SET TRUE`"
        )
    if facts.may_use_app_role is False:
        problems.append(
            f"{me} may not act as the role {APP_ROLE}, which requests run as; as a superuser: "
            f"`GRANT {APP_ROLE} TO {me} WITH SET TRUE`"
        )
    return problems


def _at_least(version: str, least: tuple[int, ...]) -> bool:
    return tuple(int(part) for part in version.split(".") if part.isdigit()) >= least


def _describe(dsn: str) -> str:
    """Name the server without user or password, even when the DSN is malformed."""
    try:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        host = parts.hostname or query.get("host", ["localhost"])[0]
        return f"{host}:{parts.port or query.get('port', ['5432'])[0]}"
    except ValueError:
        return "the given address"
