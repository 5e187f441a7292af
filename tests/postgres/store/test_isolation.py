"""No namespace sees another: tried as the reading role, not read from the code."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pinak_ray.agents.changes import PutEntry, PutItem
from pinak_ray.curation.passes import curate
from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.records.errors import DatabaseUnavailable
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import CurationPolicy
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.nudges import Verdict, new_intent
from pinak_ray.records.operations import Feedback, Intend
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space, WorkingItem
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.nudge_feedback import keep_feedback, record_shown
from pinak_ray.store.feedback.retrieval_feedback import keep_grades
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.memories.accesses import Accesses
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.namespaces import ensure_namespace
from pinak_ray.store.queries import query
from pinak_ray.store.standing_intents import StandingIntents
from pinak_ray.store.stats import namespace_figures
from tests.support.indexed import encode
from tests.support.remembered import EMBEDDER, register
from tests.support.settling import settle_some
from tests.support.taken import taken

pytestmark = pytest.mark.postgres

# Every table that holds a namespace's rows, with the column that says whose they are.
WALLED = {
    "namespaces": "id",
    "memories": "namespace_id",
    "memory_vectors": "namespace_id",
    "term_stats": "namespace_id",
    "corpus_stats": "namespace_id",
    "memory_windows": "namespace_id",
    "window_stats": "namespace_id",
    "segments": "namespace_id",
    "memory_links": "namespace_id",
    "working_items": "namespace_id",
    "entries": "namespace_id",
    "standing_intents": "namespace_id",
    "nudges": "namespace_id",
    "nudge_feedback": "namespace_id",
    "retrieval_feedback": "namespace_id",
    "template_outcomes": "namespace_id",
    "renamed_names": "namespace_id",
    "memory_access": "namespace_id",
    "memory_archive": "namespace_id",
    "curations": "namespace_id",
}
# What the reading role has no use for.
CLOSED = (
    "shards",
    "index_queue",
    "link_queue",
    "untold_failures",
    "generations",
    "signing_keys",
    "serving_model",
    "backfills",
    "backfill_queue",
    "recorded_queries",
)
CANDIDATES = "SELECT id FROM pinak.lexical_candidates($1, 50, null)"
WINDOWS = CANDIDATES.replace("lexical_", "window_")
TEXT_SCORES = "SELECT id FROM pinak.text_scores($1, $2::uuid[], true, true)"
SCORES = "SELECT id FROM pinak.lexical_scores($1, $2::uuid[])"


async def fill(database: Database, model_id: int, project: str) -> tuple[int, UUID]:
    """Put one row into every table of a new namespace; return its id and its memory's."""
    async with database.service() as connection:
        namespace_id = await ensure_namespace(connection, NamespaceKey("acme", project))
    memory = new_memory(namespace_id, "ada", f"the secret of {project}", session="s")
    await commit_memories(database, [encode_memory(memory)])
    await index_some(database, encode, model_id=model_id)
    await settle_some(database, encode, model_id=model_id, quiet_s=0.0)
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.segments (namespace_id, model_id, kind, first_seq, end_seq,"
            " settles_after) VALUES ($1, $2, 0, 0, 1, '{}')",
            namespace_id, model_id,
        )  # fmt: skip
    async with database.service() as connection, connection.transaction():
        # A link leads to a second memory, and a second one would be in the way of all other tests.
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "INSERT INTO pinak.memory_links (namespace_id, from_id, to_id, kind, strength)"
            " VALUES ($1, $2, $3, 'fixes', 1)",
            namespace_id, memory.id, uuid4(),
        )  # fmt: skip
    standing = StandingIntents(database, model_id)
    vector = encode_halfvec_one((await EMBEDDER.embed(["deploy"]))[0])
    standing.stand(Owner(namespace_id, Space.AGENT, "ada"), new_intent("deploy"), vector, 0.1)
    await standing.aclose()
    shown = Intend(Owner(namespace_id, Space.AGENT, "ada"), new_intent("deploy"))
    await record_shown(database, shown, {uuid4(): memory.id})
    await keep_feedback(database, Feedback(shown.owner, memory.id, Verdict.USEFUL))
    await keep_grades(database, shown.owner, uuid4(), {memory.id: 0.5})
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.renamed_names VALUES ($1, 'tag', 'wide', 'narrow', false)",
            namespace_id,
        )
        await connection.execute(
            "INSERT INTO pinak.template_outcomes (namespace_id, template_id, run, agent, success)"
            " VALUES ($1, $2, 'monday', 'ada', true)",
            namespace_id, memory.id,
        )  # fmt: skip
    accesses = Accesses(database)
    accesses.note(namespace_id, [memory.id])
    await accesses.aclose()
    await curate(database, namespace_id, CurationPolicy())
    async with database.service() as connection:
        await connection.execute(query("curation", "archive"), namespace_id, [memory.id], "weak")
    now = memory.created_at
    state = await taken(database)
    item = WorkingItem("plan", b"1", 1, now, None, uuid4())
    entry = Entry(uuid4(), 1, EntryKind.FINDING, "ada", None, "x", b"{}", 1, now, None, uuid4())
    await state.submit(
        [
            PutItem(Owner(namespace_id, Space.AGENT, "ada"), item),
            PutEntry(Owner(namespace_id, Space.BOARD, "b"), entry),
        ]
    )
    await state.aclose()
    return namespace_id, memory.id


@pytest.fixture
async def two(database: Database) -> tuple[tuple[int, UUID], tuple[int, UUID]]:
    """Two namespaces with a row in every table each: (id, id of its memory)."""
    model_id = await register(database, EMBEDDER.model.dimension)
    return await fill(database, model_id, "one"), await fill(database, model_id, "other")


async def as_app(dsn: str, *, namespace_id: int | None = None) -> asyncpg.Connection:
    """Connect as the readers do, past every convenience of Database."""
    connection = await asyncpg.connect(dsn, server_settings={"role": "pinak_app"})
    if namespace_id is not None:
        await connection.execute(
            "SELECT set_config('pinak.namespace_id', $1, false)", str(namespace_id)
        )
    return connection


async def test_a_namespace_sees_its_own_rows_only(database: Database, two: Any) -> None:
    """In every table each namespace finds exactly its own row, whatever it asks for."""
    for namespace_id, _ in two:
        async with database.reading(namespace_id) as connection:
            for table, column in WALLED.items():
                rows = await connection.fetch(f"SELECT DISTINCT {column} FROM pinak.{table}")
                assert [(table, namespace_id)] == [(table, row[0]) for row in rows]


async def test_no_table_was_forgotten(database: Database) -> None:
    """Every table that the reading role may read and that has a namespace is behind the wall."""
    async with database.service() as connection:
        rows = await connection.fetch(
            "SELECT c.relname, c.relrowsecurity FROM pg_class AS c "
            "WHERE c.relnamespace = 'pinak'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') "
            "AND has_table_privilege('pinak_app', c.oid, 'SELECT')"
        )
    readable = {row["relname"]: row["relrowsecurity"] for row in rows}

    # The models' names and dimensions belong to the stack, not to a namespace.
    assert {**dict.fromkeys(WALLED, True), "embedding_models": False} == readable


async def test_search_functions_stay_within_the_wall(database: Database, two: Any) -> None:
    """Neither the words nor the ids of another namespace bring out a row or a score."""
    (one, mine), (_, theirs) = two
    async with database.reading(one) as connection:
        found = [await connection.fetch(q, ["secret", "other"]) for q in (CANDIDATES, WINDOWS)]
        scored = [
            await connection.fetch(q, ["secret", "other"], [mine, theirs])
            for q in (SCORES, TEXT_SCORES)
        ]
        near = await connection.fetch(
            "SELECT DISTINCT memory_id FROM pinak.memory_vectors WHERE embedding <=> $1 < 2",
            encode_halfvec_one((await EMBEDDER.embed(["the secret of other"]))[0]),
        )

    assert [[mine]] * 5 == [[row[0] for row in rows] for rows in (*found, *scored, near)]


async def test_one_connection_shows_each_reader_its_own(
    dsn: str, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a connection showed last is told anew only where it changes, also past errors."""
    (one, mine), (other, theirs) = two
    told: list[str] = []
    fetchrow = asyncpg.Connection.fetchrow

    async def counted(self: Any, text: str, *arguments: Any, **options: Any) -> Any:
        told.append(arguments[0])
        return await fetchrow(self, text, *arguments, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetchrow", counted)

    async def visible(database: Database, namespace_id: int) -> list[UUID]:
        async with database.reading(namespace_id) as connection:
            return [row["id"] for row in await connection.fetch("SELECT id FROM pinak.memories")]

    async with await Database.open(dsn, reader_connections=1) as database:
        assert await visible(database, one) == [mine]
        assert await visible(database, one) == [mine]
        assert await visible(database, other) == [theirs]
        with pytest.raises(DatabaseUnavailable, match="22012"):
            async with database.reading(one) as connection:
                await connection.execute("SELECT 1 / 0")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), database.reading(other) as connection:
                await connection.execute("SELECT pg_sleep(30)")
        assert await visible(database, other) == [theirs]
        assert await visible(database, one) == [mine]
    assert told[:3] == [str(one), str(other), str(one)]


async def test_figures_count_one_namespace(database: Database, two: Any) -> None:
    """What `/v1/stats` shows counts the caller's rows only."""
    (one, _), _ = two

    assert await namespace_figures(database, one) == {
        "memories": 1,
        "layers": {"semantic": 1},
        "vectors": 1,
        "working_items": 1,
        "entries": 1,
    }


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("setting", [None, "", "not a number", "0; DROP TABLE x", "-1"])
async def test_without_a_namespace_nothing_can_be_read(dsn: str, setting: str | None) -> None:
    """No setting, an empty one or nonsense: an error or no row, in tables and in functions."""
    connection = await as_app(dsn)
    try:
        if setting is not None:
            await connection.execute("SELECT set_config('pinak.namespace_id', $1, false)", setting)
        statements = [f"SELECT * FROM pinak.{table}" for table in WALLED]
        asked: list[tuple[str, tuple[Any, ...]]] = [(text, ()) for text in statements]
        asked += [(statement, (["secret"],)) for statement in (CANDIDATES, WINDOWS)]
        asked += [(statement, (["secret"], [uuid4()])) for statement in (SCORES, TEXT_SCORES)]
        for statement, arguments in asked:
            try:
                rows = await connection.fetch(statement, *arguments)
            except (asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError):
                continue
            assert rows == [], statement
    finally:
        await connection.close()


async def test_the_reading_role_cannot_write(dsn: str, two: Any) -> None:
    """Not even its own namespace's rows can be inserted, changed, deleted or truncated."""
    connection = await as_app(dsn, namespace_id=two[0][0])
    try:
        for table in (*WALLED, *CLOSED):
            for statement in (
                f"INSERT INTO pinak.{table} DEFAULT VALUES",
                f"DELETE FROM pinak.{table}",
                f"TRUNCATE pinak.{table}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_readers_do_not_need_they_cannot_read(dsn: str, two: Any) -> None:
    """Tables that name rows of every namespace are closed to the reading role."""
    connection = await as_app(dsn, namespace_id=two[0][0])
    try:
        for table in CLOSED:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM pinak.{table}")
    finally:
        await connection.close()


async def test_a_partition_cannot_be_read_past_its_parent(
    database: Database, dsn: str, two: Any
) -> None:
    """Policies stand on the parent, so the partitions themselves are closed."""
    async with database.service() as service:
        partitions = await service.fetch(
            "SELECT 'pinak.' || c.relname FROM pg_class AS c JOIN pg_inherits ON inhrelid = c.oid "
            "WHERE inhparent = 'pinak.memory_vectors'::regclass"
        )
    connection = await as_app(dsn, namespace_id=two[0][0])
    try:
        assert len(partitions) == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM {partitions[0][0]}")
    finally:
        await connection.close()


async def test_the_role_has_no_way_around_the_policies(dsn: str, two: Any) -> None:
    """It cannot bypass row security, own a table, switch a policy off, or make a role."""
    connection = await as_app(dsn, namespace_id=two[0][0])
    try:
        role = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert tuple(role) == (False,) * 4
        for statement in (
            "ALTER TABLE pinak.memories DISABLE ROW LEVEL SECURITY",
            "DROP POLICY own_namespace ON pinak.memories",
            "CREATE TABLE pinak.mine (x int)",
            "CREATE ROLE other_app",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        await connection.execute("SET row_security = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM pinak.memories")
    finally:
        await connection.close()


async def test_the_wall_is_against_queries_not_against_free_sql(dsn: str, two: Any) -> None:
    """What holds: RESET ROLE stays the reader. What does not: naming another role or namespace.

    The session's user is the service itself, and the namespace is a setting; so the reading
    connections run only the package's own statements, never text from a caller.
    """
    (one, _), (other, _) = two
    connection = await as_app(dsn, namespace_id=one)
    try:
        await connection.execute("RESET ROLE")
        assert await connection.fetchval("SELECT current_user") == "pinak_app"
        await connection.execute("RESET ALL")
        assert await connection.fetchval("SELECT current_user") == "pinak_app"
        await connection.execute(f"SET pinak.namespace_id = '{other}'")
        assert [other] == [
            row[0] for row in await connection.fetch("SELECT namespace_id FROM pinak.memories")
        ]
        await connection.execute("SET ROLE NONE")
        assert await connection.fetchval("SELECT current_user") != "pinak_app"
    finally:
        await connection.close()


async def test_a_connection_forgets_the_namespace_it_served(database: Database, two: Any) -> None:
    """A pooled connection sees only the namespace of its present use."""
    for namespace_id, _ in (*two, *two):
        async with database.reading(namespace_id) as connection:
            rows = await connection.fetch("SELECT namespace_id FROM pinak.memories")
        assert [namespace_id] == [row[0] for row in rows]
