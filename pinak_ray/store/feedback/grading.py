"""What a grade is made of: words with their rarity, and memories beside a question."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from pinak_ray.language.analysis import words_of
from pinak_ray.store.database import Connection
from pinak_ray.store.queries import query

__all__ = ["memories_beside", "terms_of"]


async def terms_of(
    connection: Connection, namespace_id: int, text: str, *, limit: int
) -> dict[str, tuple[str, float]]:
    """Return the text's rarest words and their IDF, by lexeme."""
    words = words_of(text)
    rows = await connection.fetch(query("grading", "terms"), namespace_id, list(words), limit)
    return {row["lexeme"]: (words[row["lexeme"]], row["idf"]) for row in rows}


async def memories_beside(
    connection: Connection,
    namespace_id: int,
    ids: Sequence[UUID],
    *,
    model_id: int,
    vector: bytes,
    lexemes: Collection[str],
) -> list[asyncpg.Record]:
    """Return these memories, superseded and expired ones too, with their cosine to the question's
    vector (None: not embedded yet) and which of the lexemes each has."""
    return await connection.fetch(
        query("grading", "memories"), namespace_id, model_id, list(ids), vector, list(lexemes)
    )
