"""Remove what is over; until then every read path already passes over it."""

from collections.abc import Sequence
from uuid import UUID

from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.windows import drop_windows_around
from pinak_ray.store.queries import query

__all__ = ["purge_expired", "remove_memories"]


async def purge_expired(database: Database, *, limit: int = 1000) -> int:
    """Delete up to `limit` expired rows of each kind and return how many went."""
    async with database.service() as connection, connection.transaction():
        taken = await connection.fetch(query("expiry", "take_memories"), limit)
        await remove_memories(
            connection, [row["namespace_id"] for row in taken], [row["id"] for row in taken]
        )
        removed = len(taken)
        for name in (
            "working_items",
            "entries",
            "batch_receipts",
            "forgotten",
            "standing_intents",
            "nudges",
            "recorded_queries",
        ):
            removed += int(await connection.fetchval(query("expiry", name), limit))
    return removed


async def remove_memories(
    connection: Connection, namespace_ids: Sequence[int], ids: Sequence[UUID]
) -> None:
    """Delete memories that are over and indexed, which the caller's transaction has locked.

    Everything locks in this order, so that nothing waits in a circle: memories, term_stats,
    corpus_stats, settling_sessions, windows.
    """
    if not ids:
        return
    await connection.execute(query("expiry", "uncount_terms"), namespace_ids, ids)
    await connection.execute(query("expiry", "drop_unused_terms"), namespace_ids, ids)
    await connection.execute(query("expiry", "uncount_documents"), namespace_ids, ids)
    await drop_windows_around(connection, namespace_ids, ids)
    await connection.execute(query("expiry", "refusals"), namespace_ids, ids)
    await connection.execute(query("expiry", "memories"), namespace_ids, ids)
