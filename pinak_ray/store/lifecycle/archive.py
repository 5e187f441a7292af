"""The archive: memories that the Curator deleted, whole, until their time there is over."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.curation import Reason
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.reanalysis import reanalyse
from pinak_ray.store.lifecycle.expiry import remove_memories
from pinak_ray.store.queries import query

__all__ = ["archive_memories", "forget_archived", "purge_archive", "restore_memory"]

_PURGED_AT_ONCE = 1_000


async def archive_memories(
    connection: Connection, namespace_id: int, ids: Sequence[UUID], reason: Reason
) -> None:
    """Archive memories and delete them, in the caller's transaction, which has locked them."""
    await connection.execute(query("curation", "archive"), namespace_id, ids, reason)
    await remove_memories(connection, [namespace_id] * len(ids), ids)


async def restore_memory(database: Database, namespace_id: int, memory_id: UUID) -> None:
    """Put a memory back as it was, with what agents linked it to; raises NotFound.

    It counts as recalled just now, so that the next pass does not take it again, and is searchable
    by meaning once it is indexed.
    """
    async with database.service() as connection, connection.transaction():
        row = await connection.fetchrow(query("curation", "take_archived"), namespace_id, memory_id)
        if row is None:
            raise NotFound(f"the archive holds no memory {memory_id}")
        await connection.execute(query("curation", "put_back"), row["memory"])
        await reanalyse(connection, [namespace_id], [memory_id])
        await connection.execute(query("curation", "put_links_back"), row["links"])
        await connection.execute(
            query("curation", "add_accesses"), [namespace_id], [memory_id], [row["accesses"] + 1]
        )


async def purge_archive(
    database: Database, namespace_id: int, *, archive_days: float, dry_run: bool
) -> int:
    """Delete what was archived longer ago than that, a thousand at most; return how many.

    With `dry_run` how many there are; 0 days keep all of them.
    """
    if not archive_days:
        return 0
    kept_for = timedelta(days=archive_days)
    async with database.service() as connection:
        if dry_run:
            found = await connection.fetchval(
                query("curation", "purgeable"), namespace_id, kept_for
            )
        else:
            found = await connection.fetchval(
                query("curation", "purge_archive"), namespace_id, kept_for, _PURGED_AT_ONCE
            )
    return int(found)


async def forget_archived(connection: Connection, namespace_id: int, memory_id: UUID) -> bool:
    """Delete a memory from the archive too; False when it is not there."""
    return bool(
        await connection.fetchval(query("curation", "forget_archived"), namespace_id, memory_id)
    )
