"""Remove what has expired; until then every read path already passes over it."""

from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["purge_expired"]


async def purge_expired(database: Database, *, limit: int = 1000) -> int:
    """Delete up to `limit` expired rows of each kind and return how many went."""
    async with database.service() as connection, connection.transaction():
        removed = 0
        for name in ("memories", "working_items", "entries", "batch_receipts"):
            removed += int(await connection.fetchval(query("expiry", name), limit))
    return removed
