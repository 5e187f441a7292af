"""What was shown to whom, and what agents said of it."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Feedback, Intend
from pinak_ray.store.answering import answers
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["keep_feedback", "record_shown"]


async def record_shown(database: Database, intend: Intend, shown: Mapping[UUID, UUID]) -> None:
    """Record what this request shows: the memory of each nudge, by the nudge's id."""
    owner = intend.owner
    async with database.service() as connection:
        await connection.execute(
            query("nudge_feedback", "record_shown"),
            owner.namespace_id,
            owner.name,
            list(shown),
            list(shown.values()),
            intend.id,
        )


@answers(Feedback)
async def keep_feedback(database: Database, feedback: Feedback) -> Receipt:
    """Commit what an agent said; raises NotFound where neither a nudge nor a memory has the id."""
    owner, subject = feedback.owner, feedback.subject
    async with database.service() as connection:
        try:
            new = await connection.fetchval(
                query("nudge_feedback", "keep_feedback"),
                owner.namespace_id,
                owner.name,
                subject,
                feedback.verdict.value,
                "" if feedback.speaker == owner.name else feedback.speaker,
            )
        except asyncpg.ForeignKeyViolationError:  # forgotten at this very moment
            new = None
    if new is None:
        raise NotFound(f"no nudge and no memory has the id {subject}")
    return Receipt(subject, Ack.DURABLE, new)
