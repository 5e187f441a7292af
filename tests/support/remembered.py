"""Put memories, vectors and term statistics into a test database, by plain SQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np

from pinak_ray.embedding import HashingEmbedder, encode_halfvec_one
from pinak_ray.language.analysis import ANALYSIS
from pinak_ray.language.indexed_texts import index_text
from pinak_ray.records.memory.memories import Memory, content_hash, new_memory
from pinak_ray.store.database import Database
from pinak_ray.store.memories.lexemes import lexemes_of
from pinak_ray.store.models.embedding_models import register_model

DIMENSION = 64
EMBEDDER = HashingEmbedder(DIMENSION)

_INSERT = """
INSERT INTO pinak.memories (namespace_id, id, agent, layer, content, session, details, tags,
    entities, outcome, occurred_at, created_at, expires_at, lexemes, analysis, content_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
_COUNT_CORPUS = """
INSERT INTO pinak.corpus_stats
SELECT namespace_id, count(*), sum(length(lexemes)) FROM pinak.memories GROUP BY namespace_id
"""
_COUNT_TERMS = """
INSERT INTO pinak.term_stats
SELECT namespace_id, term, count(*)
FROM pinak.memories CROSS JOIN LATERAL unnest(tsvector_to_array(lexemes)) AS term
GROUP BY namespace_id, term
"""


async def register(database: Database, dimension: int = DIMENSION) -> int:
    """Register the hashing model and return its id."""
    async with database.service() as connection:
        return (await register_model(connection, "hashing", "1", dimension)).id


async def remember(
    database: Database, namespace_id: int, content: str, *, agent: str = "ada", **fields: Any
) -> UUID:
    """Store one memory without a vector and return its id."""
    return (await remember_all(database, [new_memory(namespace_id, agent, content, **fields)]))[0]


async def remember_all(database: Database, memories: Sequence[Memory]) -> list[UUID]:
    """Store memories without vectors and return their ids."""
    async with database.service() as connection:
        await connection.executemany(
            _INSERT,
            [
                (
                    m.namespace_id,
                    m.id,
                    m.agent,
                    m.layer,
                    m.content,
                    m.session,
                    m.details,
                    m.tags,
                    m.entities,
                    m.outcome,
                    m.occurred_at,
                    m.created_at,
                    m.expires_at,
                    lexemes_of(m.agent, m.session, m.content),
                    ANALYSIS,
                    content_hash(m.content.encode()),
                )
                for m in memories
            ],
        )
    return [memory.id for memory in memories]


async def expire(database: Database, memory_id: UUID) -> None:
    """Move a memory's end into the past: waiting for it would depend on how fast the machine is."""
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET expires_at = now() - interval '1 s' WHERE id = $1", memory_id
        )


async def index_all(database: Database, model_id: int) -> None:
    """Embed every memory that has no vector and count all terms anew."""
    async with database.service() as connection:
        rows = await connection.fetch(
            "SELECT namespace_id, id, agent, session, content FROM pinak.memories AS m WHERE NOT "
            "EXISTS (SELECT FROM pinak.memory_vectors AS v WHERE v.memory_id = m.id)"
        )
        texts = [index_text(row["agent"], row["session"], row["content"]) for row in rows]
        vectors = await EMBEDDER.embed(texts) if texts else np.empty((0, DIMENSION))
        await connection.executemany(
            "INSERT INTO pinak.memory_vectors (namespace_id, model_id, memory_id, embedding) "
            "VALUES ($1, $2, $3, $4)",
            [
                (row["namespace_id"], model_id, row["id"], encode_halfvec_one(vector))
                for row, vector in zip(rows, vectors, strict=True)
            ],
        )
        await connection.execute("TRUNCATE pinak.corpus_stats, pinak.term_stats")
        await connection.execute(_COUNT_CORPUS)
        await connection.execute(_COUNT_TERMS)
