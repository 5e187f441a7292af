"""Revise, forget and read single memories: what changes after a memory was stored."""

from uuid import UUID

from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.errors import IdempotencyMismatch, NotFound, Superseded
from pinak_ray.records.memory.memories import Layer, Memory, Outcome, content_hash
from pinak_ray.records.memory.revisions import (
    MAX_VERSIONS,
    FoundMemories,
    Get,
    History,
    Revision,
    Version,
    found_memories,
)
from pinak_ray.records.memory.rows import Row
from pinak_ray.store.answering import answers
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.indexing.windows import drop_windows_around
from pinak_ray.store.lifecycle.archive import forget_archived
from pinak_ray.store.lifecycle.expiry import remove_memories
from pinak_ray.store.memories.given_vectors import refuse_foreign
from pinak_ray.store.memories.memories import (
    EncodedMemory,
    encode_memory,
    merge_memories,
)
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys

__all__ = ["forget_memory", "get_memories", "revise_memory", "versions_of"]

# How far a history is followed to each side: who revises one thing more often wants working memory.
_MAX_LINKS = 10_000
_NOT_READ = ("vector", "write_key")


async def revise_memory(
    database: Database, revision: Revision, *, model_id: int
) -> tuple[UUID, bool]:
    """Store a revision and supersede what it revises, at once; return its id, and False where it
    was stored before, under this id.

    Of several revisions of one memory the first one that is still there wins: the others raise
    Superseded. Raises NotFound where there is no such memory, IdempotencyMismatch where the key
    stands for another write, WrongDimension for a vector of a model that does not serve.
    """
    old_id, new_id, namespace_id = revision.memory_id, *revision.memory[:2]
    async with database.service() as connection, connection.transaction():
        row = await connection.fetchrow(query("revisions", "lock"), namespace_id, old_id)
        # Who forgot either of the two may have come between a revision and its retry.
        if await connection.fetchval(query("revisions", "is_stored"), namespace_id, new_id):
            await await_standbys(connection)
            return new_id, False
        if (held := await _stored_under_key(connection, revision.memory)) is not None:
            await await_standbys(connection)
            return held, False
        if row is None:
            raise NotFound(f"there is no memory {old_id}")
        successor = row["superseded_by"]
        if successor and await connection.fetchval(
            query("revisions", "lives"), namespace_id, successor
        ):
            raise Superseded(old_id, successor)
        # The database's clock for both ends, so that there is one version at any moment.
        memory = revision.over(_version(row).memory)._replace(created_at=row["now"])
        await _insert(connection, encode_memory(memory, model_id=model_id))
        await connection.execute(query("revisions", "supersede"), namespace_id, old_id, new_id)
        await drop_windows_around(connection, [namespace_id], [old_id])
    return new_id, True


async def _stored_under_key(connection: Connection, memory: Memory) -> UUID | None:
    """Return what the memory's key stands for, if that lives; raises IdempotencyMismatch."""
    if memory.write_key is None:
        return None
    held = await connection.fetchrow(
        query("memories", "holder_of"),
        memory.namespace_id,
        memory.write_key.id,
        memory.write_key.says,
        content_hash(memory.content.encode()),
    )
    if held is None:
        return None
    if not held["is_same"]:
        raise IdempotencyMismatch
    stored: UUID = held["id"]
    return stored


async def _insert(connection: Connection, memory: EncodedMemory) -> None:
    fates = await refuse_foreign(connection, [memory]) or await merge_memories(connection, [memory])
    for fate in fates.values():
        # A Duplicate would be of another one's id, or of a key that was taken a moment ago.
        raise fate if isinstance(fate, Exception) else IdempotencyMismatch


async def forget_memory(database: Database, namespace_id: int, memory_id: UUID) -> bool:
    """Make a memory unfindable, and remove it; False when there is none (any more).

    It leaves the archive too. For a while its id stays known, so that no late retry of the call
    that stored it brings it back. One that is still queued for indexing is removed by
    `purge_expired`, once its terms are counted.
    """
    async with database.service() as connection, connection.transaction():
        forget = query("revisions", "forget")
        row = await connection.fetchrow(forget, namespace_id, memory_id)
        archived = await forget_archived(connection, namespace_id, memory_id)
        # The archive was asked second, and may just have given it back.
        row = row or await connection.fetchrow(forget, namespace_id, memory_id)
        if row is None and not archived:
            await await_standbys(connection)
            return False
        await connection.execute(query("revisions", "note_forgotten"), namespace_id, memory_id)
        if row is not None and row["is_queued"]:
            await drop_windows_around(connection, [namespace_id], [memory_id])
        elif row is not None:
            await remove_memories(connection, [namespace_id], [memory_id])
    return True


async def versions_of(
    database: Database,
    namespace_id: int,
    memory_id: UUID,
    *,
    limit: int = MAX_VERSIONS,
    before: UUID | None = None,
) -> History:
    """Return a memory, and the newest `limit` of all that superseded one another around it.

    Fewer where they would be more than one answer holds; only those older than `before`, if it is
    given. Raises NotFound where the namespace has no such memory.
    """
    async with database.reading(namespace_id) as connection:
        rows = await connection.fetch(
            query("revisions", "versions"),
            namespace_id, memory_id, before, limit, _MAX_LINKS, MAX_ANSWER_BYTES,
        )  # fmt: skip
    asked = [row for row in rows if row["id"] == memory_id]
    if not asked:
        raise NotFound(f"there is no memory {memory_id}")
    page = [row for row in rows if row["on_page"]]
    oldest = page[0]["id"] if page and page[0]["more"] else None
    return History(_version(asked[0]), tuple(map(_version, page)), oldest)


@answers(Get)
async def get_memories(database: Database, operation: Get) -> FoundMemories:
    """Return memories by their ids, in their order."""
    namespace_id, ids = operation.namespace_id, operation.memory_ids
    async with database.reading(namespace_id) as connection:
        rows = await connection.fetch(query("revisions", "by_ids"), namespace_id, ids)
    return found_memories(ids, map(_version, rows))


def _version(row: Row) -> Version:
    fields = {name: row[name] for name in Memory._fields if name not in _NOT_READ}
    outcome = fields.pop("outcome")
    return Version(
        Memory(
            **{
                **fields,
                "layer": Layer(fields["layer"]),
                "tags": tuple(fields["tags"]),
                "entities": tuple(fields["entities"]),
                "outcome": None if outcome is None else Outcome(outcome),
            }
        ),
        row["superseded_by"],
        row["superseded_at"],
    )
