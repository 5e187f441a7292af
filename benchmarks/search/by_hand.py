"""The reference: embed the question, and one statement, as a competent user writes it by hand.

The same embedder and the same tables: an exact scan of the namespace for the 50 nearest vectors,
the 50 best texts with any of the question's words, both joined by reciprocal ranks, and the ten
best memories read. No windows, agents or dates. Words are ranked in two ways: by `ts_rank`, the
cheapest that PostgreSQL has, which knows nothing of how rare a word is; and by BM25 in plain SQL,
as ours. No policies are in its way, and its sessions are set as ours: no JIT, custom plans (by a
generic one the scan takes nine times as long).
"""

from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg
from pgvector import HalfVector
from pgvector.asyncpg import register_vector

from pinak_ray.embedding import Embedder, Vectors

__all__ = ["ByHand"]

_BY_TS_RANK = """
WITH near AS (
    SELECT id, row_number() OVER (ORDER BY distance) AS rank
    FROM (
        SELECT memory_id AS id, embedding <=> $3 AS distance
        FROM pinak.memory_vectors
        WHERE namespace_id = $1 AND model_id = $2 AND kind = 0
        ORDER BY distance
        LIMIT 50
    ) AS nearest
), asked AS (
    SELECT replace(plainto_tsquery('english', $4)::text, '&', '|')::tsquery AS any_word
), said AS (
    SELECT id, row_number() OVER (ORDER BY score DESC) AS rank
    FROM (
        SELECT id, ts_rank(lexemes, any_word) AS score
        FROM pinak.memories, asked
        WHERE namespace_id = $1 AND lexemes @@ any_word
        ORDER BY score DESC
        LIMIT 50
    ) AS best
)
SELECT m.id, m.content, m.agent, m.occurred_at,
    coalesce(1.0 / (60 + near.rank), 0) + coalesce(1.0 / (60 + said.rank), 0) AS score
FROM near
FULL JOIN said ON said.id = near.id
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = coalesce(near.id, said.id)
ORDER BY score DESC
LIMIT 10
"""
_BY_BM25 = """
WITH near AS (
    SELECT id, row_number() OVER (ORDER BY distance) AS rank
    FROM (
        SELECT memory_id AS id, embedding <=> $3 AS distance
        FROM pinak.memory_vectors
        WHERE namespace_id = $1 AND model_id = $2 AND kind = 0
        ORDER BY distance
        LIMIT 50
    ) AS nearest
), words AS (
    SELECT lexeme AS word, c.total_length / c.documents::float8 AS average,
        ln(1 + (c.documents - t.documents + 0.5) / (t.documents + 0.5::float8)) AS idf
    FROM unnest(to_tsvector('english', $4))
    JOIN pinak.term_stats AS t ON t.namespace_id = $1 AND t.term = lexeme
    JOIN pinak.corpus_stats AS c ON c.namespace_id = $1
), asked AS (
    SELECT string_agg(quote_literal(word), ' | ')::tsquery AS any_word FROM words
), said AS (
    SELECT id, row_number() OVER (ORDER BY score DESC) AS rank
    FROM (
        SELECT id, sum(
            idf * 2.2 * times / (times + 0.72 + 0.48 * length(lexemes) / average)) AS score
        FROM pinak.memories
        CROSS JOIN asked
        CROSS JOIN LATERAL unnest(lexemes) AS u
        CROSS JOIN LATERAL coalesce(cardinality(u.positions), 1) AS times
        JOIN words ON word = u.lexeme
        WHERE namespace_id = $1 AND lexemes @@ any_word
        GROUP BY id
        ORDER BY score DESC
        LIMIT 50
    ) AS best
)
SELECT m.id, m.content, m.agent, m.occurred_at,
    coalesce(1.0 / (60 + near.rank), 0) + coalesce(1.0 / (60 + said.rank), 0) AS score
FROM near
FULL JOIN said ON said.id = near.id
JOIN pinak.memories AS m ON m.namespace_id = $1 AND m.id = coalesce(near.id, said.id)
ORDER BY score DESC
LIMIT 10
"""
# Adding nothing keeps the planner from any index on the distance: the truth is exact.
_EXACT = """
SELECT memory_id
FROM pinak.memory_vectors
WHERE namespace_id = $1 AND model_id = $2 AND kind = 0
ORDER BY (embedding <=> $3) + 0
LIMIT $4
"""


class ByHand:
    """Asks one namespace over a pool of its own."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", embedder: Embedder, namespace_id: int, model_id: int
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._namespace = (namespace_id, model_id)

    @classmethod
    async def open(
        cls, dsn: str, embedder: Embedder, namespace_id: int, model_id: int, *, connections: int
    ) -> Self:
        """Connect."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=connections,
            max_size=connections,
            command_timeout=60,
            init=register_vector,
            server_settings={"jit": "off", "plan_cache_mode": "force_custom_plan"},
        )
        return cls(pool, embedder, namespace_id, model_id)

    async def by_ts_rank(self, query: str) -> int:
        """Embed the question, run the statement, and return how many memories it found."""
        return await self._ask(_BY_TS_RANK, query)

    async def by_bm25(self, query: str) -> int:
        """Do the same with BM25."""
        return await self._ask(_BY_BM25, query)

    async def _ask(self, statement: str, query: str) -> int:
        vector = HalfVector((await self._embedder.embed([query]))[0])
        return len(await self._pool.fetch(statement, *self._namespace, vector, query))

    async def nearest(self, vector: Vectors, k: int) -> list[UUID]:
        """Return the ids of the exact k nearest."""
        rows = await self._pool.fetch(_EXACT, *self._namespace, HalfVector(vector), k)
        return [row["memory_id"] for row in rows]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._pool.close()
