"""Names from before they had one form: each is found under its form, and what joins is told."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import up
from pinak_ray.migrations import runner
from pinak_ray.records.errors import SetupError

pytestmark = pytest.mark.postgres

BEFORE, AFTER = "0014", "0015"
WIDE, OLD, NEW = "Ｊosé", "Jose\u0301", "José"
BLANK, LEAD = "lead\u200b ", "lead"

MEMORY = """
    INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, session, tags, entities,
        content_hash) VALUES (1, $1, $2, 'episodic', 'the orders are late', $3, $4, $5, '\\x00')
"""
ITEM = """
    INSERT INTO pinak.working_items VALUES (1, $1, $2, to_jsonb($3::text), $4,
        $5::text::timestamptz, NULL, gen_random_uuid())
"""
ENTRY = """
    INSERT INTO pinak.entries VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, 1, now(), NULL,
        gen_random_uuid())
"""
ITEMS = "SELECT agent, key, value #>> '{}', version FROM pinak.working_items"
JOINED_BOARDS = "SELECT was FROM pinak.renamed_names WHERE joined AND kind = 'board'"
TERMS = """
    SELECT 1 AS namespace_id, lexeme AS term, count(*) AS documents
    FROM pinak.memories, unnest(tsvector_to_array(lexemes)) AS lexeme GROUP BY lexeme
"""
LENGTHS = """
    SELECT 1 AS namespace_id, count(*) AS documents, sum(length(lexemes))::bigint AS total_length
    FROM pinak.memories
"""


async def migrated(dsn: str, statements: Sequence[tuple[Any, ...]]) -> asyncpg.Connection:
    """Run statements in a database before the change, and return a connection after it."""
    await asyncio.to_thread(runner.upgrade, dsn, BEFORE)
    connection = await asyncpg.connect(dsn)
    for statement, *arguments in statements:
        await connection.execute(statement, *arguments)
    await asyncio.to_thread(runner.upgrade, dsn, AFTER)
    return connection


async def column(connection: asyncpg.Connection, sql: str) -> list[Any]:
    """Return the first column of a query."""
    return [row[0] for row in await connection.fetch(sql)]


async def test_memories_are_found_by_their_normal_names(empty_dsn: str) -> None:
    """Agent, session, tags and entities are renamed, repeats joined; other rows are left alone."""
    ids = [uuid4() for _ in range(3)]
    connection = await migrated(
        empty_dsn,
        [
            (MEMORY, ids[0], OLD, OLD, ["b", OLD, NEW, "ｂ"], [WIDE]),
            (MEMORY, ids[1], BLANK, None, [], []),
            (MEMORY, ids[2], "plain", "s", ["t 1"], ["نمی\u200cشود"]),
        ],
    )
    rows = await connection.fetch("SELECT * FROM pinak.memories")
    found = {row["id"]: row for row in rows}

    assert [found[ids[0]][name] for name in ("agent", "session")] == [NEW, NEW]
    assert [found[ids[0]][name] for name in ("tags", "entities")] == [["b", NEW], [NEW]]
    assert found[ids[1]]["agent"] == LEAD
    assert [found[ids[2]][name] for name in ("tags", "entities")] == [["t 1"], ["نمی\u200cشود"]]
    told = await connection.fetch("SELECT kind, was, name, joined FROM pinak.renamed_names")
    assert {tuple(row) for row in told} == {
        ("agent", OLD, NEW, False),
        ("agent", BLANK, LEAD, False),
        ("session", OLD, NEW, False),
        ("tag", OLD, NEW, True),
        ("tag", "ｂ", "b", True),
        ("entity", WIDE, NEW, False),
    }
    await connection.close()


async def test_the_words_of_sessions_are_counted_anew(empty_dsn: str) -> None:
    """A speaker's name is among an entry's words: the statistics are those of what is there."""
    connection = await migrated(
        empty_dsn,
        [
            *[(MEMORY, uuid4(), agent, "s", [], []) for agent in (OLD, NEW, "Ｂot")],
            (MEMORY, uuid4(), OLD, None, [], []),
            (f"INSERT INTO pinak.term_stats (namespace_id, term, documents) {TERMS}",),
            (f"INSERT INTO pinak.corpus_stats {LENGTHS}",),
            ("DELETE FROM pinak.index_queue",),
        ],
    )  # fmt: skip
    counted = await connection.fetch("SELECT * FROM pinak.term_stats")
    assert {tuple(row) for row in counted} == {tuple(row) for row in await connection.fetch(TERMS)}
    assert {"josé", "bot"} <= {row["term"] for row in counted}
    counted = await connection.fetch("SELECT * FROM pinak.corpus_stats")
    assert counted == await connection.fetch(LENGTHS)
    assert await column(connection, "SELECT session FROM pinak.settling_sessions") == ["s"]
    await connection.close()


async def test_of_two_items_the_newest_stays(empty_dsn: str) -> None:
    """Under a version above both, so that no compare-and-set mistakes one for the other."""
    connection = await migrated(
        empty_dsn,
        [
            (ITEM, OLD, "k", "older", 7, "2026-01-01"),
            (ITEM, NEW, "k", "newer", 3, "2026-02-01"),
            (ITEM, WIDE, "k2", "only", 1, "2026-02-01"),
            (ITEM, "a", "ｋ ", "a wide key", 2, "2026-02-01"),
            (ITEM, "a", "＄intent", "not ours", 1, "2026-02-01"),
        ],
    )
    rows = await connection.fetch(ITEMS)

    assert {tuple(row) for row in rows} == {
        (NEW, "k", "newer", 7),
        (NEW, "k2", "only", 1),
        ("a", "k", "a wide key", 2),
        ("a", "U+FF04intent", "not ours", 1),
    }
    await connection.close()


async def test_boards_are_joined_in_order(empty_dsn: str) -> None:
    """The entries of one come behind those of the other: none is lost, and cursors stay good."""
    ids = {name: uuid4() for name in ("n1", "n2", "o1", "o2", "w1", "p1", "same")}

    def entry(board: str, name: str, seq: int, **more: Any) -> tuple[Any, ...]:
        said = {"kind": "finding", "author": "a", "key": None, "details": "{}", **more}
        return (
            ENTRY, "board", board, ids[name], seq, said["kind"], said["author"], said["key"], name,
            said["details"],
        )  # fmt: skip

    connection = await migrated(
        empty_dsn,
        [
            entry(NEW, "n1", 4),
            entry(NEW, "n2", 9),
            entry(NEW, "same", 10),
            entry(OLD, "o1", 2, author=OLD, kind="note", details='{"to": "Jose\u0301", "x": 1}'),
            entry(OLD, "o2", 3, key=OLD, kind="public"),
            entry(OLD, "same", 5),
            entry(WIDE, "w1", 1),
            entry("Ｐlan", "p1", 6, kind="claim", key="Ａ subject, as it is "),
        ],
    )
    rows = await connection.fetch(
        "SELECT content, owner, seq, author, key, details FROM pinak.entries ORDER BY owner, seq"
    )

    joined = [row for row in rows if row["owner"] == NEW]
    assert [row["content"] for row in joined] == ["n1", "n2", "same", "o1", "o2", "w1"]
    assert [row["seq"] for row in joined] == [4, 9, 10, 11, 12, 13]
    assert (joined[3]["author"], joined[4]["key"]) == (NEW, NEW)
    assert '"to": "José"' in joined[3]["details"]
    (plan,) = (row for row in rows if row["owner"] == "Plan")
    assert (plan["seq"], plan["key"]) == (6, "Ａ subject, as it is ")
    told = await column(
        connection, "SELECT was FROM pinak.renamed_names WHERE joined AND kind = 'board'"
    )
    assert sorted(told) == sorted([OLD, WIDE])
    await connection.close()


async def test_namespaces_are_never_joined(empty_dsn: str) -> None:
    """Two that would be one stay two: the second one's project gets its number."""
    add = "INSERT INTO pinak.namespaces (tenant, project) VALUES ($1, $2)"
    connection = await migrated(
        empty_dsn,
        [(add, "acme", OLD), (add, "acme", NEW), (add, WIDE, "p"), (add, "other", "p")],
    )
    rows = await connection.fetch("SELECT id, tenant, project FROM pinak.namespaces ORDER BY id")

    assert [tuple(row)[1:] for row in rows] == [
        ("acme", f"{NEW} #{rows[0]['id']}"),
        ("acme", NEW),
        (NEW, "p"),
        ("other", "p"),
    ]
    await connection.close()


async def test_the_last_word_of_one_voice_counts(empty_dsn: str) -> None:
    """Feedback under two forms of a name is one voice, and what it said last holds."""
    memory, subject = uuid4(), UUID(int=1)
    say = "INSERT INTO pinak.nudge_feedback VALUES (1, $1, $2, $3, $4, $5::text::timestamptz)"
    connection = await migrated(
        empty_dsn,
        [
            (MEMORY, memory, "a", None, [], []),
            (say, memory, OLD, subject, "useful", "2026-01-01"),
            (say, memory, WIDE, subject, "not_useful", "2026-02-01"),
            (say, memory, "b", subject, "useful", "2026-02-01"),
        ],
    )
    rows = await connection.fetch("SELECT agent, verdict FROM pinak.nudge_feedback")

    assert {tuple(row) for row in rows} == {(NEW, "not_useful"), ("b", "useful")}
    await connection.close()


async def test_where_all_names_are_normal_nothing_is_touched(empty_dsn: str) -> None:
    """Rows that need no other name are not written again."""
    connection = await migrated(
        empty_dsn,
        [
            (MEMORY, uuid4(), NEW, "s 1", ["c++", "日本"], []),
            (ITEM, "a", "k/1", "x", 1, "2026-01-01"),
        ],
    )

    assert await column(connection, "SELECT count(*) FROM pinak.renamed_names") == [0]
    for table in ("memories", "working_items"):
        places = await column(connection, f"SELECT ctid::text FROM pinak.{table}")
        assert places == ["(0,1)"]
    await connection.close()


async def test_a_start_tells_how_many_names_it_changed(empty_dsn: str, tmp_path: Path) -> None:
    """Once, by the start that migrates: whoever looks for an old name knows where it went."""
    await asyncio.to_thread(runner.upgrade, empty_dsn, BEFORE)
    connection = await asyncpg.connect(empty_dsn)
    await connection.execute(MEMORY, uuid4(), OLD, WIDE, ["b", OLD, NEW], [])
    await connection.close()
    # Without a model it ends before Ray.
    settings = Settings(
        home=tmp_path, http_port=0, dsn=empty_dsn, embedder="minilm", model_dir=tmp_path / "none"
    )  # type: ignore[arg-type]
    told: list[list[str]] = []
    for _ in range(2):
        steps: list[str] = []
        with pytest.raises(SetupError, match="none"):
            await asyncio.to_thread(up, settings, progress=steps.append)
        told.append([step for step in steps if "renamed_names" in step])

    line = (
        "3 stored names were brought to their one form, 1 of them joined another: "
        "pinak.renamed_names lists them"
    )
    assert told == [[line], []]
