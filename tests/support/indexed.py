"""Index a test database by hashing, and compare what is kept with what there is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pinak_ray.embedding import encode_halfvec
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from tests.support.remembered import EMBEDDER
from tests.support.settling import settle_some

RECOUNT = """
SELECT namespace_id, term, count(*) AS documents
FROM {} CROSS JOIN LATERAL unnest(tsvector_to_array(lexemes)) AS term
GROUP BY namespace_id, term
"""
CORPORA = """
SELECT namespace_id, count(*) AS documents, sum(length(lexemes))::bigint AS total_length
FROM {} GROUP BY namespace_id
"""
WINDOWS = """
SELECT namespace_id, count(*), sum(length(lexemes))::bigint
FROM pinak.memory_windows GROUP BY namespace_id
"""
NOTHING = "SELECT NULL::integer, NULL::uuid WHERE false"


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


async def check_statistics(database: Database, uncounted: str = NOTHING) -> None:
    """Compare the kept statistics with a recount of all memories but the `uncounted` ones."""
    kept = "SELECT namespace_id, term, documents FROM pinak.term_stats"
    corpora = "SELECT * FROM pinak.corpus_stats WHERE documents <> 0 OR total_length <> 0"
    windows = "SELECT * FROM pinak.window_stats WHERE windows <> 0 OR total_length <> 0"
    counted = f"(SELECT * FROM pinak.memories WHERE (namespace_id, id) NOT IN ({uncounted})) AS m"

    assert await fetch(database, RECOUNT.format(counted)) == await fetch(database, kept)
    assert await fetch(database, CORPORA.format(counted)) == await fetch(database, corpora)
    assert await fetch(database, WINDOWS) == await fetch(database, windows)


async def index_owed(database: Database, model_id: int) -> None:
    """Index everything that is queued."""
    while (await index_some(database, encode, model_id=model_id)).rows:
        pass


async def settle(database: Database, model_id: int, quiet_s: float = 0.0) -> int:
    """Write all windows that are due; return how many."""
    written = 0
    while True:
        done = await settle_some(database, encode, model_id=model_id, quiet_s=quiet_s)
        written += done
        if not done and not await fetch(
            database, "SELECT FROM pinak.settling_sessions WHERE last_at = '-infinity'"
        ):
            return written


async def window_words(database: Database) -> dict[UUID, set[str]]:
    """Return the words of each window, but for the name of who speaks."""
    rows = await fetch(
        database, "SELECT memory_id, tsvector_to_array(lexemes) FROM pinak.memory_windows"
    )
    return {memory_id: set(words) - {"ada"} for memory_id, words in rows}
