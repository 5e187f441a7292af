"""What of what shall be promoted is a memory already."""

from pinak_ray.records.memory.memories import content_hash
from pinak_ray.records.memory.promotion import FindPromoted, Known, made_from
from pinak_ray.store.answering import answers
from pinak_ray.store.database import Database
from pinak_ray.store.memories.lexemes import saying_query
from pinak_ray.store.queries import query

__all__ = ["find_promoted"]


@answers(FindPromoted)
async def find_promoted(database: Database, operation: FindPromoted) -> tuple[Known, ...]:
    """Return what is there of each memory that is sought."""
    namespace_id, sought = operation.namespace_id, operation.sought
    async with database.reading(namespace_id) as connection:
        rows = await connection.fetch(
            query("promotion", "current"), namespace_id, [each.memory_id for each in sought]
        )
        current = {row["first"]: Known(row["current"], made_from(row["made"])) for row in rows}
        new = [each for each in sought if each.memory_id not in current]
        rows = await connection.fetch(
            query("promotion", "saying"),
            [saying_query(each.content) for each in new],
            [content_hash(each.content.encode()) for each in new],
        )
    same = {new[row["place"] - 1].memory_id: Known(same=row["id"]) for row in rows}
    known = {**same, **current}
    return tuple(known.get(each.memory_id, Known()) for each in sought)
