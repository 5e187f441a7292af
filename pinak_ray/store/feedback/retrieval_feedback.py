"""What memories were worth for the questions that they were recalled for."""

from collections.abc import Collection, Mapping
from uuid import UUID

from pinak_ray.records.memory.grades import Usefulness
from pinak_ray.records.state.owners import Owner
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query

__all__ = ["keep_grades", "usefulness_of"]


async def keep_grades(
    database: Database, owner: Owner, question: UUID, scores: Mapping[UUID, float]
) -> dict[UUID, Usefulness]:
    """Commit what memories were worth to an agent for a question, in [-1, 1] by memory.

    Returns the usefulness of each with that. Of one agent and question a memory's last score
    counts; a memory that is gone is passed over.
    """
    async with database.service() as connection:
        await connection.execute(
            query("retrieval_feedback", "keep"),
            owner.namespace_id,
            owner.name,
            question,
            list(scores),
            list(scores.values()),
        )
        return await usefulness_of(connection, owner.namespace_id, scores)


async def usefulness_of(
    connection: Connection, namespace_id: int, ids: Collection[UUID]
) -> dict[UUID, Usefulness]:
    """Return the usefulness of those of these memories that were graded."""
    rows = await connection.fetch(
        query("retrieval_feedback", "usefulness_of"), namespace_id, list(ids)
    )
    return {row["id"]: Usefulness(row["mean"], row["count"]) for row in rows}
