"""Outcomes of templates: each run once, within one namespace, gone with the template."""

import asyncio
from uuid import UUID, uuid4

import pytest

from pinak_ray.records.asking import asked
from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.records.memory.templates import (
    TEMPLATE_TAG,
    Outcomes,
    ReadOutcomes,
    TellOutcome,
    ToldOutcome,
)
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.templates import outcomes_of, tell_outcome
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.lifecycle.revisions import forget_memory
from pinak_ray.store.memories.memories import commit_memories, encode_memory

pytestmark = pytest.mark.postgres

NAMESPACE = 7


async def template(database: Database, *tags: str) -> UUID:
    """Store a template and return its id."""
    memory = new_memory(NAMESPACE, "ada", "a plan", tags=tags or (TEMPLATE_TAG,))
    await commit_memories(database, [encode_memory(memory)])
    return memory.id


async def told(
    database: Database, id_: UUID, run: str, *, success: bool = True, namespace_id: int = NAMESPACE
) -> ToldOutcome:
    """Tell as a recaller does."""
    owner = Owner(namespace_id, Space.AGENT, "ada")
    return await tell_outcome(
        database, asked(TellOutcome, owner, template=id_, success=success, run=run)
    )


async def test_many_at_once_tell_of_one_run(database: Database) -> None:
    """Of the same run it is counted once, and exactly one of them was first."""
    id_ = await template(database)
    answers = await asyncio.gather(*(told(database, id_, "monday") for _ in range(8)))

    assert sum(answer.new for answer in answers) == 1
    assert {(answer.runs, answer.successes) for answer in answers} == {(1, 1)}


async def test_outcomes_are_counted_template_by_template(database: Database) -> None:
    """In the order in which they are asked for; one without any has none."""
    one, other = await template(database), await template(database)
    for run, success in (("a", True), ("b", False), ("c", True)):
        await told(database, one, run, success=success)

    asked = ReadOutcomes(NAMESPACE, (other, one, uuid4()))
    assert await outcomes_of(database, asked) == (Outcomes(), Outcomes(3, 2), Outcomes())


async def test_other_namespaces_neither_tell_nor_read(database: Database) -> None:
    """A template of another namespace is none, and its outcomes are none."""
    id_ = await template(database)
    await told(database, id_, "monday")

    with pytest.raises(NotFound):
        await told(database, id_, "tuesday", namespace_id=8)
    assert await outcomes_of(database, ReadOutcomes(8, (id_,))) == (Outcomes(),)


async def test_what_is_no_template_has_no_outcomes(database: Database) -> None:
    """Another memory, or a template that was forgotten; its outcomes go with it."""
    id_, other = await template(database), await template(database, "other")
    await told(database, id_, "monday")
    await forget_memory(database, NAMESPACE, id_)

    for gone in (id_, other):
        with pytest.raises(NotFound):
            await told(database, gone, "tuesday")
    async with database.service() as connection:
        await connection.execute("DELETE FROM pinak.index_queue")
    await purge_expired(database)
    assert await outcomes_of(database, ReadOutcomes(NAMESPACE, (id_,))) == (Outcomes(),)
