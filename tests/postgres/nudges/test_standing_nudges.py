"""Standing nudges on a real PostgreSQL: whom a new failure concerns, and who is left alone."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.language.analysis import query_terms
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.nudges.standing import StandingNudge, standing_nudges
from pinak_ray.records.memory.nudges import new_intent
from pinak_ray.records.operations import Intend
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.nudge_feedback import record_shown
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.standing_intents import (
    StandingIntents,
    matching_intents,
    note_told,
    taken_failures,
)
from tests.support.indexed import index_owed
from tests.support.remembered import EMBEDDER, register, remember

pytestmark = pytest.mark.postgres

NS = 7
FAILURE = "deploy of the orders service failed: migration 42 locks the orders table"
INTENT = "deploy the orders service with migration 42"
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


def named(agent: str, namespace_id: int = NS) -> Owner:
    """Return an agent."""
    return Owner(namespace_id, Space.AGENT, agent)


async def intend(database: Database, model_id: int, *agents: Owner, text: str = INTENT) -> None:
    """Let agents intend, and wait until their intents stand."""
    standing = StandingIntents(database, model_id)
    nudger = Nudger(database, EMBEDDER, model_id, standing=standing)
    for agent in agents:
        await nudger.nudge(Intend(agent, new_intent(text, tool="kubectl", arguments={"n": 1})))
    await standing.aclose()


async def fail(database: Database, model_id: int, text: str = FAILURE, **fields: Any) -> None:
    """Record a failure and index it."""
    await remember(database, NS, text, outcome="failure", **fields)
    await index_owed(database, model_id)


async def tell(database: Database, model_id: int) -> list[StandingNudge]:
    """Return the nudges that the queued failures are worth."""
    told: list[StandingNudge] = []
    async with taken_failures(database) as taken:
        for namespace_id, failures in taken.by_namespace.items():
            rows = await matching_intents(
                database, namespace_id, failures, model_id=model_id, cooldown=TEN_MINUTES
            )
            told += standing_nudges(namespace_id, rows, EMBEDDER.knows)
    return told


async def execute(database: Database, statement: str) -> None:
    """Change the test's rows."""
    async with database.service() as connection:
        await connection.execute(statement)


def agents(nudges: list[StandingNudge]) -> list[str]:
    """Return who is told."""
    return sorted(each.intend.owner.name for each in nudges)


async def test_agents_that_intend_the_like_are_told(database: Database, model_id: int) -> None:
    """Not who recorded it, not who does something else, and nobody in another namespace."""
    await intend(database, model_id, named("ada"), named("bob"), named("mallory", 8))
    await intend(database, model_id, named("eve"), text="read the README of the orders service")
    await fail(database, model_id, agent="ada")
    (told,) = await tell(database, model_id)
    post = told.post()

    assert told.intend == Intend(
        named("bob"), new_intent(INTENT, tool="kubectl", arguments={"n": 1})
    )
    assert (post.kind, post.content) == (EntryKind.NUDGE, f"This failed before: {FAILURE}")
    assert post.id == told.nudge.id == (await tell_again(database, model_id)).nudge.id


async def tell_again(database: Database, model_id: int) -> StandingNudge:
    """Return the nudge of the second look, which is due two seconds later; there is no third."""
    await execute(database, "UPDATE pinak.untold_failures SET due_at = now()")
    (told,) = await tell(database, model_id)
    assert await tell(database, model_id) == []
    await execute(database, "UPDATE pinak.untold_failures SET due_at = now()")
    assert await tell(database, model_id) == []
    return told


async def test_only_the_last_intent_stands(database: Database, model_id: int) -> None:
    """The next intent takes its place; after a quarter of an hour none stands, and the row goes."""
    await intend(database, model_id, named("bob"))
    await intend(database, model_id, named("bob"), text="read the README of the orders service")
    await intend(database, model_id, named("eve"))
    await execute(
        database, "UPDATE pinak.standing_intents SET expires_at = now() WHERE agent = 'eve'"
    )
    await fail(database, model_id)

    assert await tell(database, model_id) == []
    assert await purge_expired(database) == 1


async def test_an_older_intent_does_not_replace_a_newer_one(
    database: Database, model_id: int
) -> None:
    """Two gateways may write one agent's intents in either order."""
    await intend(database, model_id, named("bob"))
    await execute(
        database,
        "UPDATE pinak.standing_intents SET intended_at = now() + interval '1 hour'",
    )
    await intend(database, model_id, named("bob"), text="read the README")
    await fail(database, model_id)

    assert agents(await tell(database, model_id)) == ["bob"]


async def test_who_was_told_is_left_alone(database: Database, model_id: int) -> None:
    """Of this failure for the cool-down, of anything for a moment."""
    await intend(database, model_id, named("bob"), named("eve"))
    await fail(database, model_id)
    (first, second) = await tell(database, model_id)
    await record_shown(database, first.intend, {first.nudge.id: first.nudge.evidence[0].id})
    await note_told(database, second.intend.owner)
    # However long this test takes.
    await execute(
        database, "UPDATE pinak.standing_intents SET nudged_at = nudged_at + interval '1 hour'"
    )
    await execute(database, "UPDATE pinak.untold_failures SET due_at = now()")
    again = await tell(database, model_id)
    await fail(database, model_id, f"{FAILURE} again")

    assert again == []
    assert agents(await tell(database, model_id)) == [first.intend.owner.name]


async def test_a_nudge_that_did_not_come_through_is_told_again(
    database: Database, model_id: int
) -> None:
    """Recorded by a lane that died before it posted: the next one posts it, under the same id."""
    await intend(database, model_id, named("bob"))
    await fail(database, model_id)
    (told,) = await tell(database, model_id)
    failure = told.nudge.evidence[0].id
    await record_shown(database, replace(told.intend, id=failure), {told.nudge.id: failure})

    assert (await tell_again(database, model_id)).nudge.id == told.nudge.id


async def test_many_failures_at_once_are_one_nudge(database: Database, model_id: int) -> None:
    """The strongest of them."""
    await intend(database, model_id, named("bob"))
    await remember(database, NS, "the orders service failed", outcome="failure")
    await fail(database, model_id)
    (told,) = await tell(database, model_id)

    assert told.nudge.evidence[0].content == FAILURE


async def test_a_failure_that_could_not_be_told_stays(database: Database, model_id: int) -> None:
    """Whoever takes it next finds it; after a minute it is too late for anybody."""
    await intend(database, model_id, named("bob"))
    await fail(database, model_id)
    with pytest.raises(RuntimeError):
        async with taken_failures(database):
            raise RuntimeError("killed")
    assert agents(await tell(database, model_id)) == ["bob"]
    await execute(
        database,
        "UPDATE pinak.untold_failures SET due_at = now(), queued_at = now() - interval '1 hour'",
    )

    assert await tell(database, model_id) == []
    async with taken_failures(database) as taken:
        assert not taken.rows


async def test_only_failures_are_queued(database: Database, model_id: int) -> None:
    """Any other memory concerns nobody's intent."""
    await remember(database, NS, FAILURE, outcome="success")
    await remember(database, NS, FAILURE)
    await index_owed(database, model_id)

    async with taken_failures(database) as taken:
        assert not taken.rows


async def test_many_agents_intend_in_few_writes(database: Database, model_id: int) -> None:
    """What comes while a write is on its way shares the next one, an agent's last intent only."""
    standing = StandingIntents(database, model_id)
    (vector,) = await EMBEDDER.embed([INTENT])
    half = encode_halfvec_one(vector)
    for n in range(1_000):
        text = f"{INTENT} {n}"
        standing.stand(named(f"agent-{n % 500}"), new_intent(text), half, 0.1)
    await standing.aclose()
    async with database.service() as connection:
        rows = await connection.fetch("SELECT agent, search_text FROM pinak.standing_intents")

    assert {row["agent"]: row["search_text"] for row in rows} == {
        f"agent-{n % 500}": " ".join(query_terms(f"{INTENT} {n}")) for n in range(500, 1_000)
    }


async def test_a_full_queue_drops_intents_and_delays_nobody(
    database: Database, model_id: int
) -> None:
    """What waits is bounded; whoever comes then does not stand, and goes on."""
    standing = StandingIntents(database, model_id)
    (vector,) = await EMBEDDER.embed([INTENT])
    for n in range(5_000):
        standing.stand(named(f"agent-{n}"), new_intent(INTENT), encode_halfvec_one(vector), 0.1)
    await standing.aclose()
    async with database.service() as connection:
        kept = await connection.fetchval("SELECT count(*) FROM pinak.standing_intents")

    assert kept == 4_096
