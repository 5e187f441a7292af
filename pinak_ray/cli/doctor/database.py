"""Checks of PostgreSQL: version, durability, migrations, and the wall between namespaces."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from pinak_ray.cli.doctor.verdict import Check, ok, problem, warning
from pinak_ray.cluster.postgres.external import APP_ROLE, ServerReport, check_server
from pinak_ray.migrations.runner import latest_revision
from pinak_ray.records.errors import PinakError
from pinak_ray.store.database import Database
from pinak_ray.store.vectors.segment_recall import SegmentRecall, measure_recall

__all__ = [
    "Wall",
    "check_database",
    "judge_durability",
    "judge_revision",
    "judge_role",
    "judge_segments",
    "judge_server",
    "judge_wall",
]

_TIMEOUT_S = 30.0
_LEAST_RECALL: Final = 0.95
_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")
_WALLED: Final = (
    "memories", "memory_vectors", "memory_windows", "term_stats", "corpus_stats", "window_stats",
    "working_items", "entries", "segments", "recorded_queries",
)  # fmt: skip

_SETTINGS: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])"
_REVISION: Final = "SELECT version_num FROM pinak.alembic_version"
_NOT_FORCED: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'pinak'::regnamespace AND relname = ANY ($1::text[])
    AND NOT (relrowsecurity AND relforcerowsecurity)
"""
_ROLE: Final = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1"
_A_NAMESPACE: Final = "SELECT namespace_id FROM pinak.memories LIMIT 1"
_SEEN: Final = "SELECT count(*) FROM (SELECT FROM pinak.memories WHERE namespace_id = $1 LIMIT 9) s"
_ENTER: Final = "SELECT set_config('pinak.namespace_id', $1, false)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What the role of requests sees of one namespace's memories, from where it stands."""

    not_forced: tuple[str, ...]
    role_bypasses: bool
    without_namespace: int = 0
    from_another: int = 0
    from_within: int | None = None
    """None: no memory is stored yet, so there was nothing to try."""
    logs_in: bool = True
    """Whether readers log in as their role; else they are sessions of the service, switched."""
    out_of_role: int = 0
    """Of another namespace, after a reader that logs in has given its role up."""


async def check_database(dsn: str, reader_dsn: str | None = None) -> list[Check]:
    """Ask the server, and try the wall as readers meet it: with `reader_dsn`, logged in by it."""
    try:
        report = await check_server(dsn)
        checks = judge_server(report)
        if report.is_pooled:
            return checks
        if not report.problems:
            checks.append(judge_role(report))
        async with asyncio.timeout(_TIMEOUT_S):
            connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S, statement_cache_size=0)
            try:
                rows = await connection.fetch(_SETTINGS, _DURABLE)
                found = await _revision(connection)
                checks.append(judge_durability({row["name"]: row["setting"] for row in rows}))
                checks.append(judge_revision(found, latest_revision()))
                if found is not None:
                    checks.append(judge_wall(await _wall(connection, dsn, reader_dsn)))
            finally:
                await connection.close(timeout=_TIMEOUT_S)
        if found == latest_revision():
            checks.append(judge_segments(await _segments(dsn)))
    except (PinakError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        return [problem("postgres", str(error) or repr(error), "run `pinak-ray up`")]
    return checks


def judge_server(report: ServerReport) -> list[Check]:
    """Judge the version, pgvector, and the rights of our role."""
    text = f"{report.version}, pgvector {report.pgvector_installed or 'not installed'}"
    faults = [problem("postgres", text, fault) for fault in report.problems]
    notes = [warning("postgres rights", "", note) for note in report.warnings]
    return [*(faults or [ok("postgres", text)]), *notes]


def judge_role(report: ServerReport) -> Check:
    """Judge as whom the stack itself runs."""
    name = "service role"
    if report.is_superuser:
        return warning(
            name,
            f"{report.user_name} is a superuser: SQL in its sessions could run programs and read "
            "files of the database's machine",
            "name a role of its own in the DSN, which owns it (docs/operate/database.md, Roles)",
        )
    return ok(name, f"{report.user_name}, no superuser")


def judge_durability(settings: Mapping[str, str]) -> Check:
    """Judge whether a committed write survives a power cut."""
    # synchronous_commit has four levels that wait for this server's disk; only `off` does not.
    off = [name for name in _DURABLE if settings.get(name) in ("off", None)]
    if off:
        mend = "; ".join(f"ALTER SYSTEM SET {name} = on" for name in off)
        text = f"{', '.join(off)} off: an acknowledged write may be lost"
        return problem("durability", text, f"{mend}; SELECT pg_reload_conf()")
    return ok("durability", ", ".join(f"{name} {settings[name]}" for name in _DURABLE))


def judge_revision(found: str | None, head: str) -> Check:
    """Judge whether the schema is the one that this code knows."""
    if found == head:
        return ok("migrations", f"at {head}")
    text = f"at {found}, not {head}" if found else "the schema does not exist yet"
    return problem("migrations", text, "run `pinak-ray up`, it migrates")


def judge_wall(wall: Wall) -> Check:
    """Judge what was tried against row-level security."""
    name = "isolation"
    mend = "stop serving, and run the migrations again as the tables' owner"
    if wall.not_forced:
        tables = ", ".join(wall.not_forced)
        return problem(name, f"row-level security is not forced on {tables}", mend)
    if wall.role_bypasses:
        text = f"{APP_ROLE} bypasses row-level security"
        return problem(name, text, f"ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS")
    if wall.without_namespace or wall.from_another:
        where = "without a namespace" if wall.without_namespace else "from another namespace"
        return problem(name, f"{APP_ROLE} sees memories {where}", mend)
    if wall.out_of_role:
        text = f"a session of {APP_ROLE} sees all memories once it gives up its role"
        return problem(name, text, f"let PINAK_READER_DSN log in as {APP_ROLE} itself")
    if wall.from_within == 0:
        return problem(name, f"{APP_ROLE} does not see its own namespace's memories", mend)
    if wall.from_within is None:
        return ok(name, "row-level security is forced; no memory is stored yet to try it on")
    how = "logged in as" if wall.logs_in else "in a session of the service, switched to"
    return ok(name, f"tried {how} {APP_ROLE}: other namespaces' memories are invisible")


def judge_segments(measured: SegmentRecall | None) -> Check:
    """Judge how much a search by the segments' indexes finds."""
    name = "segments"
    if measured is None:
        return ok(name, "every namespace is small enough to be searched exactly")
    text = (
        f"{measured.recall:.0%} of the ten nearest are found among {measured.rows:,} vectors in "
        f"{measured.segments} segments"
    )
    if measured.recall < _LEAST_RECALL:
        return warning(name, text, "the vectors may be unusually alike; try another model")
    return ok(name, text)


async def _segments(dsn: str) -> SegmentRecall | None:
    async with asyncio.timeout(_TIMEOUT_S):
        database = await Database.open(dsn, service_connections=1, name="pinak-ray doctor")
        async with database:
            return await measure_recall(database)


async def _revision(connection: Any) -> str | None:
    try:
        found: str | None = await connection.fetchval(_REVISION)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    return found


async def _wall(connection: Any, dsn: str, reader_dsn: str | None) -> Wall:
    rows = await connection.fetch(_NOT_FORCED, _WALLED)
    not_forced = tuple(sorted(row["relname"] for row in rows))
    bypasses = bool(await connection.fetchval(_ROLE, APP_ROLE))
    namespace = await connection.fetchval(_A_NAMESPACE)
    if namespace is None:
        return Wall(not_forced=not_forced, role_bypasses=bypasses)
    as_app = await asyncpg.connect(
        reader_dsn or dsn,
        timeout=_TIMEOUT_S,
        statement_cache_size=0,
        server_settings={"role": APP_ROLE},
    )
    out_of_role = 0
    try:
        without = await _seen_without_namespace(as_app, namespace)
        await as_app.fetchval(_ENTER, str(namespace + 1))
        another = await as_app.fetchval(_SEEN, namespace)
        await as_app.fetchval(_ENTER, str(namespace))
        within = await as_app.fetchval(_SEEN, namespace)
        if reader_dsn is not None:
            await as_app.execute("SET ROLE NONE")
            await as_app.fetchval(_ENTER, str(namespace + 1))
            out_of_role = await as_app.fetchval(_SEEN, namespace)
    finally:
        await as_app.close(timeout=_TIMEOUT_S)
    return Wall(
        not_forced=not_forced,
        role_bypasses=bypasses,
        without_namespace=without,
        from_another=another,
        from_within=within,
        logs_in=reader_dsn is not None,
        out_of_role=out_of_role,
    )


async def _seen_without_namespace(connection: Any, namespace: int) -> int:
    try:
        return int(await connection.fetchval(_SEEN, namespace))
    except (asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError):
        # The policy refuses to be evaluated without a namespace: it fails closed.
        return 0
