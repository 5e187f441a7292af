"""EXPLAIN holds the plans of the hot queries: a namespace pays for its own rows only."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.segments import seal_some
from pinak_ray.store.vectors.vector_cache import NOTHING_KNOWN
from tests.support.remembered import DIMENSION, EMBEDDER, register

pytestmark = pytest.mark.postgres

SMALL, LARGE = 1, 2
ANY = (None,) * 11
FILL = """
INSERT INTO pinak.memories (
    namespace_id, id, agent, layer, content, outcome, content_hash, lexemes, analysis)
SELECT $1::integer, gen_random_uuid(), 'a', 'episodic', content,
    CASE WHEN n % 20 = 0 THEN 'failure' END, '', to_tsvector('simple', content), 1
FROM generate_series(1, $2::integer) AS n
CROSS JOIN LATERAL format('alpha%s beta%s gamma%s', n % 7, n % 31, n) AS content
"""
VECTORS = """
INSERT INTO pinak.memory_vectors (namespace_id, model_id, memory_id, embedding)
SELECT namespace_id, $1, id,
    (SELECT array_agg(random()::real) FROM generate_series(1, $2::integer)
     WHERE m.id IS NOT NULL)::halfvec  -- correlated, or every row gets the same vector
FROM pinak.memories AS m
"""


@pytest.fixture
async def model_id(database: Database) -> int:
    """A namespace of 500 rows beside one of 20,000, with vectors, vacuumed and analysed."""
    model = await register(database)
    async with database.service() as connection:
        await connection.execute(FILL, SMALL, 500)
        await connection.execute(FILL, LARGE, 20_000)
        await connection.execute(VECTORS, model, DIMENSION)
        await connection.execute("VACUUM ANALYZE pinak.memories")
        await connection.execute("ANALYZE pinak.memory_vectors")
    return model


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def explain(
    database: Database, sql: str, *arguments: Any, ns: int = SMALL
) -> list[dict[str, Any]]:
    """Run as the walled-in role and return the nodes with their measured rows."""
    async with database.reading(ns) as connection:
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    return list(nodes(json.loads(told)[0]["Plan"]))


def scanned(plan: list[dict[str, Any]], table: str) -> list[str]:
    """Return the kinds of scans of a table that ran."""
    return [
        node["Node Type"]
        for node in plan
        if node.get("Relation Name", "").startswith(table) and node["Actual Loops"] > 0
    ]


async def vector() -> bytes:
    """A query's vector."""
    return encode_halfvec_one((await EMBEDDER.embed(["alpha1 beta2"]))[0])


async def nearest_plan(
    database: Database, model_id: int, how: str, filters: str | None = None, ns: int = SMALL
) -> list[dict[str, Any]]:
    """Return the plan of the statement that `nearest` makes, under the settings it has."""
    async with database.reading(ns) as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        statement = await connection.fetchval(
            "SELECT pinak.nearest_statement($1, 0::smallint, $2)", model_id, how
        )
        # A text parameter is cast at run time; in `nearest` the filters are a constant.
        passing = "null::pinak.filters" if filters is None else f"'{filters}'::pinak.filters"
        statement = statement.replace("$3", passing).replace("$4", "$3")
        told = await connection.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", await vector(), 50, []
        )
    return list(nodes(json.loads(told)[0]["Plan"]))


async def test_a_small_namespace_is_scanned_exactly_and_alone(
    database: Database, model_id: int
) -> None:
    """Every vector that passes is compared, and none of the large one's is read."""
    plan = await nearest_plan(database, model_id, "filtered", "(,{a},,,,,,,,,)")
    assert "Seq Scan" not in scanned(plan, "memory_vectors") + scanned(plan, "memories")
    assert not scanned(plan, "segment")
    compared = [node for node in plan if node.get("Relation Name", "").startswith("memory_vectors")]
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in compared) == 500


async def test_a_large_namespace_walks_its_indexes(database: Database, model_id: int) -> None:
    """With a segment the statement walks its HNSW index, and compares the tail only."""
    async with database.service() as connection:
        await connection.execute("INSERT INTO pinak.corpus_stats VALUES ($1, 20000, 20000)", LARGE)
    async with database.service() as connection:
        await connection.execute(
            "DELETE FROM pinak.memory_vectors WHERE namespace_id = $1 AND seq > 3000", LARGE
        )
    assert await seal_some(database, model_id=model_id, seal_at=1_000) > 2_000
    plan = await nearest_plan(database, model_id, "segments", ns=LARGE)
    (walk,) = [node for node in plan if node.get("Relation Name", "").startswith("segment_")]
    assert walk["Node Type"] == "Index Scan"
    assert walk["Actual Rows"] <= 200
    tail = [node for node in plan if node.get("Relation Name", "").startswith("memory_vectors")]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in tail) == 0


async def fetched(
    database: Database, sql: str, *arguments: Any, table: str, ns: int = SMALL
) -> tuple[int, int]:
    """Run by a plan that is kept; return the sequential scans and the rows that a table gave."""
    counters = (
        "SELECT sum(seq_scan)::int, sum(idx_tup_fetch)::int FROM pg_stat_xact_user_tables"
        " WHERE relname ~ ('^' || $1 || '(_m\\d+)?$')"
    )
    async with (
        database.reading(ns, generic_plans=True) as connection,
        connection.transaction(),
    ):
        before = await connection.fetchrow(counters, table)
        await connection.fetch(sql, *arguments)
        after = await connection.fetchrow(counters, table)
    assert before is not None
    assert after is not None
    return after[0] - before[0], after[1] - before[1]


async def test_the_kept_plan_compares_its_own_vectors_alone(
    database: Database, model_id: int
) -> None:
    """In a small namespace every vector of its own is compared, and only the best are looked up."""
    nearest = "SELECT id FROM pinak.nearest($1, 0::smallint, $2, 50, null)"
    near = (nearest, model_id, await vector())
    assert await fetched(database, *near, table="memory_vectors") == (0, 500)
    scans, rows = await fetched(database, *near, table="memories")
    assert scans == 0
    assert 50 <= rows <= 200


async def test_what_is_known_is_not_compared_again(database: Database, model_id: int) -> None:
    """With all but a tail known, the database reads the tail's vectors and no others."""
    async with database.service() as connection:
        seqs = await connection.fetch(
            "SELECT memory_id, seq FROM memory_vectors WHERE namespace_id = $1 ORDER BY seq", SMALL
        )
    known = [row["memory_id"] for row in seqs[:100]]
    nearest = (
        "SELECT id FROM pinak.nearest($1, 0::smallint, $2, 50, null, "
        "ROW($3::uuid[], $4::float8[], $5::bigint)::pinak.known)"
    )
    since = seqs[-20]["seq"]
    arguments = (model_id, await vector(), known, [0.5] * 100, since)
    assert await fetched(database, nearest, *arguments, table="memory_vectors") == (0, 20)
    # Without distances: the tail's, and each of the known by its key.
    arguments = (model_id, await vector(), known, None, since)
    assert await fetched(database, nearest, *arguments, table="memory_vectors") == (0, 120)


async def test_what_was_found_is_looked_up_by_key(database: Database, model_id: int) -> None:
    """Only the candidates are read, and the vectors of those whose meaning is asked."""
    async with database.service() as connection:
        rows = await connection.fetch(
            "SELECT id FROM memories WHERE namespace_id = $1 ORDER BY id LIMIT 60", SMALL
        )
    read = (
        query("recall", "read"), SMALL, model_id, await vector(), [row["id"] for row in rows],
        ["alpha1"], True, True, [True] * 20 + [False] * 40, True,
    )  # fmt: skip
    assert await fetched(database, *read, table="memory_vectors") == (0, 20)
    # Once for the memory and once for its words.
    assert await fetched(database, *read, table="memories") == (0, 120)


async def test_an_unused_signal_costs_nothing(database: Database, model_id: int) -> None:
    """A recipe of words alone compares no vector, and one of meaning alone asks for no words."""
    request, recaller = (
        new_recall("alpha1", recipe="lexical"),
        Recaller(database, EMBEDDER, model_id),
    )
    assert (await recaller.query_vector(request)).vector is None
    meaning = (
        query("recall", "meaning"), model_id, await vector(), 0, 0, *NOTHING_KNOWN, *NOTHING_KNOWN,
        *ANY,
    )  # fmt: skip
    assert await fetched(database, *meaning, table="memory_vectors") == (0, 0)
    words = (query("recall", "words"), ["alpha1"], 0, 0, *ANY, 0)
    assert await fetched(database, *words, table="memories") == (0, 0)


async def test_nudges_read_only_failures(database: Database, model_id: int) -> None:
    """The partial index finds the failures; no other vector is compared."""
    plan = await explain(
        database, query("nudges", "evidence"), SMALL, model_id, ["alpha1"], await vector(), 50, [],
        [], "ada", None, timedelta(minutes=10), None, None, None,
    )  # fmt: skip
    assert "Seq Scan" not in scanned(plan, "memory_vectors") + scanned(plan, "memories")
    assert any(node.get("Index Name") == "memories_failures" for node in plan)


async def test_ten_thousand_failures_with_feedback_are_read_by_key(
    database: Database, model_id: int
) -> None:
    """What was said and shown is looked up for the few candidates, however much there is of it."""
    ns = 3
    async with database.service() as connection:
        await connection.execute(FILL.replace("n % 20 = 0", "true"), ns, 10_000)
        await connection.execute(f"{VECTORS} WHERE namespace_id = {ns}", model_id, DIMENSION)
        await connection.execute("SET session_replication_role = replica")  # asks no foreign key
        await connection.execute(
            "INSERT INTO pinak.nudge_feedback (namespace_id, memory_id, agent, subject, verdict) "
            "SELECT namespace_id, id, a, id, 'useful' FROM pinak.memories, "
            "unnest('{ada,bob}'::text[]) AS a WHERE namespace_id = $1", ns,
        )  # fmt: skip
        await connection.execute("RESET session_replication_role")
        await connection.execute(
            "INSERT INTO pinak.nudges (namespace_id, id, agent, memory_id) "
            "SELECT namespace_id, gen_random_uuid(), agent, memory_id FROM pinak.nudge_feedback"
        )
        await connection.execute("ANALYZE pinak.nudges, pinak.nudge_feedback, pinak.memories")
        await connection.execute("ANALYZE pinak.memory_vectors")
    plan = await explain(
        database, query("nudges", "evidence"), ns, model_id, ["alpha1", "gamma77"], await vector(),
        50, [], [], "ada", None, timedelta(minutes=10), None, None, None, ns=ns,
    )  # fmt: skip
    used = {node.get("Index Name") for node in plan if node["Actual Loops"] > 0}
    assert {"memories_failures", "nudges_by_agent", "nudge_feedback_pkey"} <= used
    for table in ("memories", "memory_vectors", "nudges", "nudge_feedback"):
        assert "Seq Scan" not in scanned(plan, table)
    read = [
        node["Actual Rows"] * node["Actual Loops"]
        for node in plan
        if node.get("Relation Name") in ("nudges", "nudge_feedback")
    ]
    assert sum(read) <= 4 * 2 * 50 * 2


async def lexical_plan(
    database: Database, namespace_id: int, words: list[str]
) -> list[dict[str, Any]]:
    """Return the plan of the statement that lexical_candidates makes."""
    async with database.service() as connection, connection.transaction():
        await connection.execute(
            "SELECT set_config('pinak.namespace_id', $1, true)", str(namespace_id)
        )
        terms = await connection.fetchrow(
            "SELECT k, score, pinak.selective_matcher($1, 10000, 1)::text AS matcher"
            " FROM pinak.query_terms($1)",
            words,
        )
        assert terms is not None
        told = await connection.fetchval(
            f"""
            EXPLAIN (ANALYZE, FORMAT JSON)
            SELECT id, {terms["score"]} AS score
            FROM (
                SELECT m.id, m.lexemes, {terms["k"]} AS k FROM pinak.memories AS m
                WHERE m.namespace_id = $1 AND ARRAY[m.namespace_id] @> ARRAY[$1]
                    AND m.lexemes @@ $2::text::tsquery AND pinak.passes(m, null::pinak.filters)
                OFFSET 0
            ) AS matching
            ORDER BY score DESC, id LIMIT 50
            """,
            namespace_id,
            terms["matcher"],
        )
    return list(nodes(json.loads(told)[0]["Plan"]))


@pytest.mark.parametrize(
    ("namespace_id", "words"),
    [(SMALL, ["alpha1", "beta2"]), (LARGE, ["beta2"]), (LARGE, ["gamma77"])],
)
async def test_words_are_found_by_index(
    database: Database, model_id: int, namespace_id: int, words: list[str]
) -> None:
    """The lexical scan walks the words' index or the namespace's key, never the whole table."""
    assert model_id
    plan = await lexical_plan(database, namespace_id, words)
    used = {node.get("Index Name") for node in plan} - {None}
    assert used & {"memories_terms", "memories_pkey", "memories_by_time"}
    assert "Seq Scan" not in scanned(plan, "memories")
    if namespace_id == LARGE:
        assert "memories_terms" in used


async def test_common_words_of_a_large_namespace_choose_nothing(
    database: Database, model_id: int
) -> None:
    """Of many words the rare ones choose what is scored; a common one needs others beside it."""
    assert model_id
    counts = {"alph": 900_000, "bet": 5_000, "gamm": 3_000, "delt": 20_000, "omeg": 1}
    async with database.service() as connection, connection.transaction():
        await connection.execute("SELECT set_config('pinak.namespace_id', '9', true)")
        await connection.execute("INSERT INTO pinak.corpus_stats VALUES (9, 1000000, 9000000)")
        await connection.executemany(
            "INSERT INTO pinak.term_stats VALUES (9, $1, $2)", list(counts.items())
        )

        async def chosen(words: str) -> str:
            text = await connection.fetchval(
                "SELECT pinak.selective_matcher($1, 10000, 1)::text", words.split()
            )
            return str(text)

        assert await chosen("alph bet gamm delt omeg") == "'omeg' | 'gamm' | 'bet'"
        assert await chosen("alph delt") == "'delt' & 'alph'"
        assert await chosen("alph") == "'alph'"
        assert await chosen("unheard alph") == "'unheard'"


async def test_a_plan_from_a_young_table_still_looks_up_by_key(database: Database) -> None:
    """What is kept from a namespace's first recalls does not read the tables whole later."""
    model = await register(database)
    async with database.service() as connection:
        await connection.execute(FILL, SMALL, 5)
        await connection.execute("VACUUM ANALYZE pinak.memories")
        id_ = await connection.fetchval("SELECT id FROM memories LIMIT 1")
    read = (query("recall", "read"), SMALL, model, await vector(), [id_])
    rest = (["alpha1"], True, True, [True], True)
    for _ in range(2):
        assert (await fetched(database, *read, *rest, table="memories"))[0] == 0
        async with database.service() as connection:
            await connection.execute(FILL, SMALL, 500)


@pytest.mark.parametrize("analysed", [True, False])
async def test_a_take_walks_the_queue_whatever_waits(database: Database, analysed: bool) -> None:
    """Beside one namespace's bulk and a thousand others: an index walk of a few rows."""
    async with database.service() as connection:
        await connection.execute(
            "INSERT INTO pinak.index_queue (namespace_id, namespace_ids, memory_ids, urgent) "
            "SELECT CASE WHEN n <= 250000 THEN 3 ELSE n END, ARRAY[3], "
            "ARRAY[gen_random_uuid()], n % 5 = 0 FROM generate_series(1, 251000) AS n"
        )
        if analysed:
            await connection.execute("ANALYZE pinak.index_queue")
        take = query("indexing", "take")
        async with connection.transaction():
            await connection.execute(query("indexing", "begin_take"))
            told = await connection.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {take}", 128, 250_500, timedelta(seconds=10)
            )
    plan = list(nodes(json.loads(told)[0]["Plan"]))
    reads = [node for node in plan if node.get("Relation Name") == "index_queue"]
    reads = [node for node in reads if "Scan" in node["Node Type"] and node["Actual Loops"] > 0]

    assert reads
    assert all("Seq" not in node["Node Type"] for node in reads)
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in reads) < 3_000
