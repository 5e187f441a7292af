"""EXPLAIN holds the plans of the hot queries: a namespace pays for its own rows only."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from remembered import DIMENSION, EMBEDDER, register

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

pytestmark = pytest.mark.postgres

SMALL, LARGE = 1, 2
ANY = (None,) * 7
FILL = """
INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, outcome, content_hash)
SELECT $1::integer, gen_random_uuid(), 'a', 'episodic',
    format('alpha%s beta%s gamma%s', n % 7, n % 31, n),
    CASE WHEN n % 20 = 0 THEN 'failure' END, ''
FROM generate_series(1, $2::integer) AS n
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


async def explain(database: Database, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """Run as the walled-in role and return the nodes with their measured rows."""
    async with database.reading(SMALL) as connection:
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


async def test_recall_reads_only_its_own_namespace(database: Database, model_id: int) -> None:
    """No table is scanned from end to end for a small namespace beside a large one."""
    plan = await explain(
        database, query("recall", "candidates"), SMALL, model_id, "alpha1 beta2", await vector(),
        50, 50, *ANY, 200, 50, 50,
    )  # fmt: skip
    assert scanned(plan, "memory_vectors")
    assert scanned(plan, "memories")
    assert "Seq Scan" not in scanned(plan, "memory_vectors") + scanned(plan, "memories")


async def test_a_filter_does_not_change_that(database: Database, model_id: int) -> None:
    """The filtered scan is keyed by the namespace as well."""
    plan = await explain(
        database, query("recall", "candidates"), SMALL, model_id, "alpha1", await vector(),
        50, 50, ["episodic"], None, None, None, None, None, None, 200, 50, 50,
    )  # fmt: skip
    assert "Seq Scan" not in scanned(plan, "memory_vectors") + scanned(plan, "memories")


async def test_an_unused_signal_costs_nothing(database: Database, model_id: int) -> None:
    """Without dense candidates the vectors are only looked up by key, if at all."""
    plan = await explain(
        database, query("recall", "candidates"), SMALL, model_id, "alpha1", None,
        0, 50, *ANY, 0, 0, 0,
    )  # fmt: skip
    rows = sum(
        node["Actual Rows"] * node["Actual Loops"]
        for node in plan
        if node.get("Relation Name", "").startswith("memory_vectors")
    )
    assert rows <= 50


async def test_nudges_read_only_failures(database: Database, model_id: int) -> None:
    """The partial index finds the failures; no other vector is compared."""
    plan = await explain(
        database, query("nudges", "similar_failures"), SMALL, model_id, "alpha1", await vector(), 50
    )
    assert "Seq Scan" not in scanned(plan, "memory_vectors") + scanned(plan, "memories")
    assert any(node.get("Index Name") == "memories_failures" for node in plan)


async def lexical_plan(database: Database, namespace_id: int, words: str) -> list[dict[str, Any]]:
    """Return the plan of the statement that lexical_candidates makes."""
    async with database.service() as connection, connection.transaction():
        await connection.execute(
            "SELECT set_config('pinak.namespace_id', $1, true)", str(namespace_id)
        )
        terms = await connection.fetchrow(
            "SELECT matcher::text, k, score FROM pinak.query_terms($1)", words
        )
        assert terms is not None
        told = await connection.fetchval(
            f"""
            EXPLAIN (ANALYZE, FORMAT JSON)
            SELECT id, {terms["score"]} AS score
            FROM (
                SELECT id, lexemes, {terms["k"]} AS k FROM pinak.memories
                WHERE namespace_id = $1 AND ARRAY[namespace_id] @> ARRAY[$1]
                    AND lexemes @@ $2::text::tsquery AND superseded_by IS NULL
                OFFSET 0
            ) AS matching
            ORDER BY score DESC, id LIMIT 50
            """,
            namespace_id,
            terms["matcher"],
        )
    return list(nodes(json.loads(told)[0]["Plan"]))


@pytest.mark.parametrize(
    ("namespace_id", "words"), [(SMALL, "alpha1 beta2"), (LARGE, "beta2"), (LARGE, "gamma77")]
)
async def test_words_are_found_by_index(
    database: Database, model_id: int, namespace_id: int, words: str
) -> None:
    """The lexical scan walks the words' index or the namespace's key, never the whole table."""
    assert model_id
    plan = await lexical_plan(database, namespace_id, words)
    used = {node.get("Index Name") for node in plan} - {None}
    assert used & {"memories_terms", "memories_pkey", "memories_by_time"}
    assert "Seq Scan" not in scanned(plan, "memories")
    if namespace_id == LARGE:
        assert "memories_terms" in used
