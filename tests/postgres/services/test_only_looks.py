"""Who may only look leaves no trace: what answers it writes nothing, into no table."""

from uuid import UUID

import pytest

from pinak_ray.records.memory.links import new_related
from pinak_ray.records.memory.nudges import new_intent
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.operations import Intend, ReadRelated, Recall
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.services.config import EmbedderSpec, StackConfig
from pinak_ray.services.search import SearchParts
from pinak_ray.store.database import Database
from pinak_ray.store.onlooker import only_looks
from tests.support.remembered import index_all, register, remember

pytestmark = pytest.mark.postgres

NS = 7
TRACES = ("memory_access", "recorded_queries", "nudges", "standing_intents")
FAILURE = "dropping the orders table in production deleted a day of sales"


async def ask_all(dsn: str, failed: UUID, *, looks: bool) -> None:
    """Recall, intend and follow links as a gateway does for a token, and end as it ends."""
    config = StackConfig(dsn, EmbedderSpec(kind="hashing", dimension=64), record_queries=1.0)
    ada = Owner(NS, Space.AGENT, "ada")
    token = only_looks.set(looks)
    try:
        parts = await SearchParts.open(config, name="test")
        assert (await parts.recall(Recall(NS, new_recall("orders table")))).hits
        intent = new_intent("drop the orders table in production")
        assert await parts.intend(Intend(ada, intent, repeat=True, peek=looks))
        await parts.carry_out(ReadRelated(NS, new_related(failed)))
        await parts.aclose()
    finally:
        only_looks.reset(token)


async def counts(database: Database) -> dict[str, int]:
    """Return how many rows of those tables there are."""
    async with database.service() as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM pinak.{table}")
            for table in TRACES
        }


async def test_a_look_is_answered_and_not_recorded(database: Database, dsn: str) -> None:
    """The same questions of a token that may write do leave their traces."""
    model_id = await register(database)
    failed = await remember(database, NS, FAILURE, outcome="failure", layer="episodic")
    await index_all(database, model_id)

    await ask_all(dsn, failed, looks=True)
    assert await counts(database) == dict.fromkeys(TRACES, 0)
    await ask_all(dsn, failed, looks=False)
    assert await counts(database) == dict.fromkeys(TRACES, 1)
