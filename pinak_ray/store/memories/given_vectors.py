"""Vectors that callers bring: stored only while their model serves."""

from collections.abc import Sequence

from pinak_ray.concurrency.group_commit import Fates
from pinak_ray.records.errors import WrongDimension
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.memories.memories import Duplicate, EncodedMemory, commit_memories
from pinak_ray.store.queries import query
from pinak_ray.store.standbys import await_standbys

__all__ = ["commit_given", "refuse_foreign"]


async def commit_given(database: Database, batch: Sequence[EncodedMemory]) -> Fates[Duplicate]:
    """Store a batch as `commit_memories` does, but for vectors of a model that does not serve."""
    if all(memory.vector_row is None for memory in batch):
        return await commit_memories(database, batch)
    async with database.service() as connection:
        refused = await refuse_foreign(connection, batch)
    kept = [index for index in range(len(batch)) if index not in refused]
    fates = await commit_memories(database, [batch[index] for index in kept]) if kept else {}
    return {**refused, **{kept[at]: fate for at, fate in fates.items()}}


async def refuse_foreign(
    connection: Connection, batch: Sequence[EncodedMemory]
) -> dict[int, Duplicate | Exception]:
    """Return the fates of memories whose vector is of a model that does not serve, by index.

    A caller learns the model when it connects, and brings vectors of that one even after a switch.
    A retry of what was stored before the switch is a Duplicate.
    """
    given = {index: m.model_id for index, m in enumerate(batch) if m.vector_row is not None}
    if not given:
        return {}
    serving = await connection.fetchrow(query("embedding_models", "serving"))
    foreign = [i for i, model_id in given.items() if serving and model_id != serving["id"]]
    if not serving or not foreign:
        return {}
    keys = [batch[index].key for index in foreign]
    rows = await connection.fetch(
        query("memories", "stored"), [key[0] for key in keys], [key[1] for key in keys]
    )
    stored = {(row["namespace_id"], row["id"]) for row in rows}
    if stored:
        await await_standbys(connection)
    refusal = (
        f"the vector is of another model than {serving['name']} ({serving['dimension']} numbers), "
        "which serves now; connect again"
    )
    return {
        index: Duplicate(key[1]) if key in stored else WrongDimension(refusal)
        for index, key in zip(foreign, keys, strict=True)
    }
