"""Revise, forget and read single memories: what changes after a memory was stored."""

from uuid import UUID

from pinak_ray.records.errors import Conflict, NotFound
from pinak_ray.records.memories import Layer, Memory, Outcome
from pinak_ray.records.revisions import Revision, Version
from pinak_ray.store.archive import forget_archived
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.expiry import remove_memories
from pinak_ray.store.given_vectors import refuse_foreign
from pinak_ray.store.hits import Row
from pinak_ray.store.memories import EncodedMemory, encode_memory, merge_memories
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys
from pinak_ray.store.windows import drop_windows_around

__all__ = ["forget_memory", "revise_memory", "versions_of"]

# Some 64 KiB each at most; who revises one thing more often wants working memory.
_MAX_VERSIONS = 100


async def revise_memory(database: Database, revision: Revision, *, model_id: int) -> bool:
    """Store a revision and supersede what it revises, at once; False when it was stored before.

    Of several revisions of one memory the first one wins: the others raise Superseded. Raises
    NotFound where there is no such memory, Conflict where the new id is that of another memory,
    WrongDimension for a vector of a model that does not serve.
    """
    old_id, new_id, namespace_id = revision.memory_id, *revision.memory[:2]
    async with database.service() as connection, connection.transaction():
        row = await connection.fetchrow(query("revisions", "lock"), namespace_id, old_id)
        if row is None:
            # Who forgot it may have come between a revision and its retry.
            if await connection.fetchval(query("revisions", "is_stored"), namespace_id, new_id):
                await await_standbys(connection)
                return False
            raise NotFound(f"there is no memory {old_id}")
        if revision.is_done(row["superseded_by"]):
            await await_standbys(connection)
            return False
        # The database's clock for both ends, so that there is one version at any moment.
        memory = revision.over(_version(row).memory)._replace(created_at=row["now"])
        await _insert(connection, encode_memory(memory, model_id=model_id))
        await connection.execute(query("revisions", "supersede"), namespace_id, old_id, new_id)
        await drop_windows_around(connection, [namespace_id], [old_id])
    return True


async def _insert(connection: Connection, memory: EncodedMemory) -> None:
    fates = await refuse_foreign(connection, [memory]) or await merge_memories(connection, [memory])
    for fate in fates.values():
        if isinstance(fate, Exception):
            raise fate
        raise Conflict(f"{memory.key[1]} is another memory; give another idempotency_key")


async def forget_memory(database: Database, namespace_id: int, memory_id: UUID) -> bool:
    """Make a memory unfindable, and remove it; False when there is none (any more).

    It leaves the archive too. One that is still queued for indexing is removed by `purge_expired`,
    once its terms are counted.
    """
    async with database.service() as connection, connection.transaction():
        forget = query("revisions", "forget")
        row = await connection.fetchrow(forget, namespace_id, memory_id)
        if await forget_archived(connection, namespace_id, memory_id):
            return True
        # The archive was asked second, and may just have given it back.
        row = row or await connection.fetchrow(forget, namespace_id, memory_id)
        if row is None:
            await await_standbys(connection)
            return False
        if row["is_queued"]:
            await drop_windows_around(connection, [namespace_id], [memory_id])
        else:
            await remove_memories(connection, [namespace_id], [memory_id])
    return True


async def versions_of(
    database: Database, namespace_id: int, memory_id: UUID
) -> tuple[Version, ...]:
    """Return a memory and all that superseded one another around it, oldest first.

    At most 100. Raises NotFound where the namespace has no such memory.
    """
    async with database.reading(namespace_id) as connection:
        rows = await connection.fetch(
            query("revisions", "versions"), namespace_id, memory_id, _MAX_VERSIONS
        )
    if all(row["id"] != memory_id for row in rows):
        raise NotFound(f"there is no memory {memory_id}")
    return tuple(map(_version, rows))


def _version(row: Row) -> Version:
    fields = {name: row[name] for name in Memory._fields if name != "vector"}
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
