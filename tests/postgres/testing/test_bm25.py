"""BM25 in SQL is BM25."""

import math
import random
from collections import Counter

import pytest

from pinak_ray.language.analysis import terms
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.store.database import Database
from pinak_ray.testing.bm25 import bm25
from tests.support.indexed import index_owed
from tests.support.remembered import index_all, register, remember, remember_all

pytestmark = pytest.mark.postgres

NS = 3
# Words that the English configuration neither stems nor drops.
WORDS = [f"term{chr(97 + n)}x" for n in range(20)]
CANDIDATES = "SELECT id, score FROM pinak.lexical_candidates($1, $2, null)"


async def test_sql_agrees_with_plain_python(database: Database) -> None:
    """With exact statistics every score agrees with the twin's within 1e-6, in both functions."""
    rng = random.Random(20)
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    texts = [rng.choices(WORDS, weights, k=rng.randint(1, 60)) for _ in range(120)]
    documents = [Counter(text) for text in texts]
    ids = await remember_all(database, [new_memory(NS, "a", " ".join(text)) for text in texts])
    await index_all(database, await register(database))
    async with database.reading(NS) as connection:
        for size in (1, 2, 5, 20):
            query = Counter(rng.sample(WORDS, size))
            scores = zip(ids, bm25(query, documents), strict=True)
            expected = {id_: score for id_, score in scores if not math.isnan(score)}
            rows = await connection.fetch(CANDIDATES, list(query), 1000)
            assert {row["id"]: row["score"] for row in rows} == pytest.approx(expected, abs=1e-6)
            assert [r["score"] for r in rows] == sorted((r["score"] for r in rows), reverse=True)
            rows = await connection.fetch(
                "SELECT * FROM pinak.lexical_scores($1, $2)", list(query), ids
            )
            assert {row["id"]: row["score"] for row in rows} == pytest.approx(expected, abs=1e-6)


async def test_it_finds_as_much_as_plain_python(database: Database) -> None:
    """R@10 of SQL, best first, is that of the twin's BM25 within .01, statistics by the Indexer."""
    rng = random.Random(7)
    words = [f"w{n}ord" for n in range(400)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    texts = [rng.choices(words, weights, k=rng.randint(5, 60)) for _ in range(300)]
    ids = await remember_all(database, [new_memory(NS, "a", " ".join(text)) for text in texts])
    await index_owed(database, await register(database))
    documents = [Counter(text) for text in texts]
    found = {"sql": 0, "python": 0}
    async with database.reading(NS) as connection:
        for at in range(0, 300, 2):
            query = rng.sample(texts[at], 3)
            rows = await connection.fetch(CANDIDATES, query, 10)
            found["sql"] += ids[at] in [row["id"] for row in rows]
            scores = bm25(Counter(query), documents)
            order = sorted(range(300), key=lambda n: (-scores[n] if scores[n] > 0 else 0, n))
            found["python"] += at in order[:10]

    assert 75 < found["python"] < 150  # neither hopeless nor trivial
    assert abs(found["sql"] - found["python"]) / 150 <= 0.01


async def test_term_frequencies_are_read_back_exactly(database: Database) -> None:
    """The frequency hidden in ts_rank agrees with the positions, up to the 255 kept."""
    async with database.service() as connection:
        wrong = await connection.fetch(
            """
            SELECT tf FROM generate_series(1, 255) AS tf
            CROSS JOIN LATERAL to_tsvector('simple', repeat('deploy ', tf) || 'x y z') AS v
            CROSS JOIN LATERAL unnest(v) AS u
            WHERE u.lexeme = 'deploy' AND cardinality(u.positions) IS DISTINCT FROM
                round(1 / (1.6449340668482264::float8
                    * (1 - ts_rank('{1,1,1,1}', v, 'deploy'))) - 0.5)::integer
            """
        )
    assert wrong == []


async def test_statistics_that_lag_still_rank(database: Database) -> None:
    """More documents with a term than documents at all is no error, and rarer terms weigh more."""
    rare = await remember(database, NS, "common rare")
    await remember(database, NS, "common plain")
    async with database.service() as connection:
        await connection.execute("INSERT INTO pinak.corpus_stats VALUES ($1, 1, 2)", NS)
        await connection.execute("INSERT INTO pinak.term_stats VALUES ($1, 'common', 1000000)", NS)
    async with database.reading(NS) as connection:
        rows = await connection.fetch(CANDIDATES, ["common", "rare"], 10)
    assert rows[0]["id"] == rare
    assert len(rows) == 2
    assert all(row["score"] > 0 for row in rows)


async def test_a_lexeme_with_quotes_and_backslashes_is_matched(database: Database) -> None:
    """Words are quoted as tsquery demands."""
    odd = "c:\\o'x/'q"
    stored = await remember(database, NS, odd)
    async with database.reading(NS) as connection:
        for asked in terms(odd), ["a\\", "'", "\\'", "''"]:
            for term in asked:
                rows = await connection.fetch(CANDIDATES, [term], 10)
                assert [row["id"] for row in rows] == [stored] * (term in terms(odd))


async def test_the_namespace_comes_from_the_session(database: Database) -> None:
    """Without a namespace the function fails closed; with one it sees that one only."""
    await remember(database, NS, "alpha")
    async with database.reading(NS + 1) as connection:
        assert await connection.fetch(CANDIDATES, ["alpha"], 10) == []
