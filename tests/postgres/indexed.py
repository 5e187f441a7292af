"""Index a test database by hashing, and compare what is kept with what there is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from remembered import EMBEDDER

from pinak_ray.embedding import encode_halfvec
from pinak_ray.store.database import Database

RECOUNT = """
SELECT namespace_id, term, count(*) AS documents
FROM pinak.memories CROSS JOIN LATERAL unnest(tsvector_to_array(lexemes)) AS term
GROUP BY namespace_id, term
"""
CORPORA = """
SELECT namespace_id, count(*) AS documents, sum(length(lexemes))::bigint AS total_length
FROM pinak.memories GROUP BY namespace_id
"""


async def encode(texts: Sequence[str]) -> Sequence[bytes]:
    """Embed by hashing."""
    return encode_halfvec(await EMBEDDER.embed(texts)) if texts else []


async def fetch(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """Return rows as sorted tuples."""
    async with database.service() as connection:
        return sorted(tuple(row) for row in await connection.fetch(statement))


async def vectors(database: Database) -> dict[UUID, bytes]:
    """Return what is stored, by memory."""
    rows = await fetch(database, "SELECT memory_id, embedding FROM pinak.memory_vectors")
    return {memory_id: bytes(embedding) for memory_id, embedding in rows}


async def check_statistics(database: Database) -> None:
    """Compare the kept statistics with a recount."""
    kept = "SELECT namespace_id, term, documents FROM pinak.term_stats WHERE documents <> 0"

    assert await fetch(database, RECOUNT) == await fetch(database, kept)
    assert await fetch(database, CORPORA) == await fetch(database, "TABLE pinak.corpus_stats")
