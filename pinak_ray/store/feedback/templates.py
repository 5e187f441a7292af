"""What came of the runs that used thought templates."""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.templates import (
    TEMPLATE_TAG,
    Outcomes,
    ReadOutcomes,
    TellOutcome,
    ToldOutcome,
)
from pinak_ray.store.answering import answers
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query

__all__ = ["outcomes_of", "tell_outcome"]


@answers(TellOutcome)
async def tell_outcome(database: Database, operation: TellOutcome) -> ToldOutcome:
    """Commit how a run ended; raises NotFound where there is no such template."""
    owner, template = operation.owner, operation.template
    success, run = operation.success, operation.run
    async with database.service() as connection:
        try:
            new = await connection.fetchval(
                query("templates", "tell_outcome"),
                owner.namespace_id, template, run, owner.name, success, TEMPLATE_TAG,
            )  # fmt: skip
        except asyncpg.ForeignKeyViolationError:  # forgotten at this very moment
            new = None
        if new is None:
            raise NotFound(f"there is no template {template}")
        known = await _outcomes(connection, owner.namespace_id, [template])
    return ToldOutcome(id=template, new=new, **known[template].record())


@answers(ReadOutcomes)
async def outcomes_of(database: Database, operation: ReadOutcomes) -> tuple[Outcomes, ...]:
    """Return the outcomes of each of these templates."""
    namespace_id, templates = operation.namespace_id, operation.templates
    async with database.reading(namespace_id) as connection:
        known = await _outcomes(connection, namespace_id, templates)
    return tuple(known.get(template, Outcomes()) for template in templates)


async def _outcomes(
    connection: Connection, namespace_id: int, templates: Collection[UUID]
) -> dict[UUID, Outcomes]:
    rows = await connection.fetch(query("templates", "outcomes_of"), namespace_id, list(templates))
    return {row["template_id"]: Outcomes(row["runs"], row["successes"]) for row in rows}
