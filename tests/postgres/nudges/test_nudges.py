"""Nudges on a real PostgreSQL: silent unless both the gate and the evidence speak."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from pinak_ray.embedding import HashingEmbedder, Vectors
from pinak_ray.nudges.gate import SAFE_PROTOTYPES
from pinak_ray.nudges.nudger import Nudger
from pinak_ray.nudges.weighing import strength_of
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength, Verdict, new_intent
from pinak_ray.records.operations import Feedback, Intend
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.nudge_feedback import keep_feedback
from pinak_ray.store.lifecycle.expiry import purge_expired
from tests.support.remembered import DIMENSION, EMBEDDER, expire, index_all, register, remember

pytestmark = pytest.mark.postgres

NS = 7
FAILURE = "deploy of the orders service failed: migration 42 locks the orders table"
INTENT = "deploy the orders service with migration 42"


class CountingEmbedder(HashingEmbedder):
    """Remembers every batch that it was asked for."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.batches: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed, and remember the batch."""
        self.batches.append(list(texts))
        return await super().embed(texts)


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


@pytest.fixture
async def nudger(database: Database, model_id: int) -> Nudger:
    """A Nudger over the test's database."""
    return Nudger(database, EMBEDDER, model_id)


async def ask(
    nudger: Nudger,
    text: str = INTENT,
    k: int = 1,
    *,
    agent: str = "bob",
    namespace_id: int = NS,
    repeat: bool = False,
    request: UUID | None = None,
    **options: Any,
) -> tuple[Nudge, ...]:
    """Nudge in the test's namespace."""
    owner = Owner(namespace_id, Space.AGENT, agent)
    return await nudger.nudge(Intend(owner, new_intent(text, **options), k, repeat, request))


async def say(
    database: Database,
    subject: UUID,
    verdict: Verdict,
    *,
    agent: str = "bob",
    namespace_id: int = NS,
) -> Receipt:
    """Give feedback."""
    owner = Owner(namespace_id, Space.AGENT, agent)
    return await keep_feedback(database, Feedback(owner, subject, verdict))


async def fail(database: Database, content: str = FAILURE, **fields: Any) -> Any:
    """Remember a failure."""
    return await remember(database, NS, content, outcome="failure", layer="episodic", **fields)


async def test_a_past_failure_warns(database: Database, nudger: Nudger, model_id: int) -> None:
    """A nudge says what failed, why it is shown, and carries the evidence."""
    failed = await fail(database)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger)
    assert nudge.kind is NudgeKind.FAILURE
    assert nudge.message == f"This failed before: {FAILURE}"
    assert nudge.evidence[0].id == failed
    assert nudge.evidence[0].content == FAILURE
    assert "cosine" in nudge.reason
    assert "risk words: deploy" in nudge.reason
    assert nudge.strength is strength_of(nudge.score)


async def test_long_failures_are_quoted_in_part(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """The message holds 200 characters, the evidence all of them."""
    text = f"{FAILURE} {FAILURE} {FAILURE} {FAILURE}"
    await fail(database, text)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger)
    assert nudge.message == f"This failed before: {text[:199]}…"
    assert nudge.evidence[0].content == text


async def test_only_failures_are_evidence(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Successes and plain notes never warn, however alike they are."""
    await remember(database, NS, INTENT, outcome="success")
    await remember(database, NS, INTENT)
    await index_all(database, model_id)
    assert await ask(nudger) == ()


async def test_harmless_intents_are_left_alone(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """The gate stays shut for what has nothing to do with a failure."""
    await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger, "summarise the meeting notes") == ()


async def test_dead_failures_do_not_warn(database: Database, nudger: Nudger, model_id: int) -> None:
    """Expired and superseded failures are over."""
    expired = await fail(database)
    revised = await fail(database)
    await index_all(database, model_id)
    await expire(database, expired)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = id WHERE id = $1", revised
        )
    assert await ask(nudger) == ()


async def test_failures_without_a_vector_do_not_count_yet(
    database: Database, nudger: Nudger
) -> None:
    """An unindexed failure is silent, not an error."""
    await fail(database)
    assert await ask(nudger) == ()


async def test_other_namespaces_do_not_warn(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Another tenant's failure stays theirs."""
    await remember(database, NS + 1, FAILURE, outcome="failure")
    await index_all(database, model_id)
    assert await ask(nudger) == ()


async def test_tool_and_arguments_are_part_of_the_intent(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """What the action itself says finds the failure that its description hides."""
    failed = await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger, "go on") == ()
    arguments = {"command": "deploy orders service", "steps": ["migration 42 on orders table"]}
    (nudge,) = await ask(nudger, "go on", tool="kubectl", arguments=arguments)
    assert nudge.evidence[0].id == failed


async def test_k_bounds_the_nudges_best_first(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """More nudges come only when asked for, and only such as are nearly as good."""
    for number in range(3):
        await fail(database, f"{FAILURE} {number}")
    await fail(database, "coffee machine broke down")
    await index_all(database, model_id)
    assert len(await ask(nudger)) == 1
    nudges = await ask(nudger, k=10, agent="other")
    assert len(nudges) == 3
    assert [nudge.score for nudge in nudges] == sorted((n.score for n in nudges), reverse=True)


@pytest.mark.parametrize("k", [0, -1, 11, True])
async def test_absurd_counts_are_refused(nudger: Nudger, k: int) -> None:
    """k must be from 1 to 10."""
    with pytest.raises(InvalidInput):
        await ask(nudger, k=k)


async def test_an_intent_is_embedded_once(database: Database, model_id: int) -> None:
    """The safe prototypes are embedded on first use only."""
    embedder = CountingEmbedder()
    nudger = Nudger(database, embedder, model_id)
    await ask(nudger, "first")
    await ask(nudger, "second")
    assert [len(batch) for batch in embedder.batches] == [len(SAFE_PROTOTYPES), 1, 1]


async def test_a_nudge_is_shown_once_to_an_agent(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Within the cool-down the same action is not warned of again; another agent is."""
    await fail(database)
    await index_all(database, model_id)
    (shown,) = await ask(nudger)
    assert await ask(nudger) == ()
    assert await Nudger(database, EMBEDDER, model_id).nudge(
        Intend(Owner(NS, Space.AGENT, "bob"), new_intent(INTENT))
    ) == ()  # fmt: skip
    (other,) = await ask(nudger, agent="eve")
    assert other.id != shown.id


async def test_the_cooldown_ends(database: Database, model_id: int) -> None:
    """With none at all, and once it is over, it is shown again, under the same id."""
    await fail(database)
    await index_all(database, model_id)
    without = Nudger(database, EMBEDDER, model_id, cooldown_s=0)
    first, second = await ask(without), await ask(without)
    assert first[0].id == second[0].id
    async with database.service() as connection:
        await connection.execute("UPDATE pinak.nudges SET shown_at = now() - interval '11 min'")
    assert await ask(Nudger(database, EMBEDDER, model_id)) == second


async def test_strong_evidence_on_another_action_is_shown(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """What an agent saw beside one action says nothing of what it thought of before another."""
    await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger)
    (again,) = await ask(nudger, f"{INTENT} again")
    assert again.strength is Strength.HIGH


async def test_a_retried_request_is_answered_as_at_first(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """An answer that was lost on its way is not a warning that was seen."""
    await fail(database)
    await index_all(database, model_id)
    request = uuid4()
    assert await ask(nudger, request=request) == await ask(nudger, request=request) != ()
    assert await ask(nudger, request=uuid4()) == ()


async def test_who_asks_each_time_hears_each_time(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """`repeat` asks without a cool-down."""
    await fail(database)
    await index_all(database, model_id)
    assert await ask(nudger, repeat=True) == await ask(nudger, repeat=True) != ()


@pytest.mark.parametrize("by", ["nudge", "memory"])
async def test_going_back_to_what_was_given_up_is_warned(
    database: Database, nudger: Nudger, model_id: int, by: str
) -> None:
    """A warning that was acted on has had its effect; the same action later is a new one."""
    failed = await fail(database)
    await index_all(database, model_id)
    (shown,) = await ask(nudger)
    await say(database, shown.id if by == "nudge" else failed, Verdict.ACTED_ON)
    assert len(await ask(nudger)) == 1
    assert await ask(nudger) == ()


async def test_feedback_counts_once(database: Database, nudger: Nudger, model_id: int) -> None:
    """An agent's last word on a nudge is the one that counts; a receipt says which was new."""
    failed = await fail(database)
    await index_all(database, model_id)
    (plain,) = await ask(nudger)
    assert (await say(database, plain.id, Verdict.NOT_USEFUL)).new
    assert not (await say(database, plain.id, Verdict.USEFUL)).new
    assert not (await say(database, plain.id, Verdict.USEFUL)).new
    (weighed,) = await ask(nudger, repeat=True)
    assert weighed.score == pytest.approx(plain.score * 1.05)
    assert "by the feedback of 1 agent, +1.0 in sum" in weighed.reason
    assert "feedback" not in plain.reason
    assert (await say(database, failed, Verdict.USEFUL)).id == failed


async def test_what_several_agents_call_useless_falls_silent(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Three agents are enough for any failure; one that says it ten times is not."""
    failed = await fail(database)
    await index_all(database, model_id)
    for number in range(10):
        nudges = await ask(nudger, f"{INTENT} {number}", repeat=True)
        await say(database, nudges[0].id if nudges else failed, Verdict.NOT_USEFUL)
    assert await ask(nudger, repeat=True)
    for agent in ("eve", "mallory"):
        await say(database, failed, Verdict.NOT_USEFUL, agent=agent)
    assert await ask(nudger, repeat=True) == ()


async def test_one_voice_under_many_names_is_one(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """Whoever it speaks for; it silences nothing, and takes the place of nobody's own word."""
    failed = await fail(database)
    await index_all(database, model_id)

    def said(agent: str, verdict: Verdict, voice: str | None = None) -> Feedback:
        return Feedback(Owner(NS, Space.AGENT, agent), failed, verdict, voice)

    assert (await keep_feedback(database, said("ada", Verdict.USEFUL))).new
    for agent in ("ada", "bob", "eve", "mallory"):
        useless = said(agent, Verdict.NOT_USEFUL, "mallory")
        assert (await keep_feedback(database, useless)).new
    assert not (await keep_feedback(database, said("ada", Verdict.USEFUL))).new
    (nudge,) = await ask(nudger, repeat=True)
    assert "by the feedback of 2 agents, +0.0 in sum" in nudge.reason


async def test_feedback_needs_something_that_it_is_about(
    database: Database, nudger: Nudger, model_id: int
) -> None:
    """An unknown id, and another namespace's nudge or memory, are not found; nothing is stored."""
    failed = await fail(database)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger)
    for subject in (failed, nudge.id):
        with pytest.raises(NotFound):
            await say(database, subject, Verdict.NOT_USEFUL, namespace_id=NS + 1)
    with pytest.raises(NotFound):
        await say(database, uuid4(), Verdict.USEFUL)
    async with database.service() as connection:
        assert await connection.fetchval("SELECT count(*) FROM pinak.nudge_feedback") == 0


async def test_old_nudges_are_purged(database: Database, nudger: Nudger, model_id: int) -> None:
    """The Curator removes what was shown a month ago, and nothing younger."""
    await fail(database)
    await index_all(database, model_id)
    await ask(nudger)
    await ask(nudger, agent="eve")
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.nudges SET shown_at = now() - interval '31 days' WHERE agent = 'eve'"
        )
        await purge_expired(database)
        assert await connection.fetch("SELECT agent FROM pinak.nudges") == [("bob",)]


FACT = "The orders service runs in eu-west-1."
AGAINST = "restart the orders service in us-east-1"


async def test_a_contradicted_fact_warns(database: Database, nudger: Nudger, model_id: int) -> None:
    """The nudge names the fact and what differs; what agrees with the fact is silent."""
    known = await remember(database, NS, FACT)
    await index_all(database, model_id)
    (nudge,) = await ask(nudger, AGAINST)
    assert nudge.kind is NudgeKind.CONTRADICTION
    assert nudge.message == (
        f"This contradicts what is known (region us-east-1, known as eu-west-1): {FACT}"
    )
    assert nudge.evidence[0].id == known
    assert "cosine" in nudge.reason
    assert await ask(nudger, AGAINST) == ()
    assert await ask(nudger, AGAINST.replace("us-east", "eu-west")) == ()
    assert await ask(nudger, f"explain why you {AGAINST}") == ()


async def test_arguments_contradict_too(database: Database, nudger: Nudger, model_id: int) -> None:
    """An argument's name and value are what the action says of it."""
    await remember(database, NS, "The API gateway listens on port 8443.", layer="procedural")
    await index_all(database, model_id)
    (nudge,) = await ask(nudger, "call the api gateway", tool="http", arguments={"port": 9443})
    assert nudge.kind is NudgeKind.CONTRADICTION


@pytest.mark.parametrize("change", ["expires_at = now()", "superseded_by = id"])
async def test_what_is_no_longer_known_is_not_contradicted(
    database: Database, nudger: Nudger, model_id: int, change: str
) -> None:
    """Expired and superseded facts are over; what happened once is no fact."""
    await remember(database, NS, FACT)
    await remember(database, NS, FACT, layer="episodic")
    await remember(database, NS + 1, FACT)
    await index_all(database, model_id)
    async with database.service() as connection:
        await connection.execute(
            f"UPDATE pinak.memories SET {change} WHERE layer = 'semantic' AND namespace_id = $1", NS
        )
    assert await ask(nudger, AGAINST) == ()


@pytest.mark.parametrize(
    ("score", "strength"),
    [(0.45, Strength.LOW), (0.55, Strength.MEDIUM), (0.7, Strength.HIGH), (1.4, Strength.HIGH)],
)
def test_strength_follows_the_score(score: float, strength: Strength) -> None:
    """The documented thresholds hold."""
    assert strength_of(score) is strength


def test_the_counting_embedder_is_the_hashing_one() -> None:
    """The test double lives in the same space as the stored vectors."""
    assert CountingEmbedder().model == EMBEDDER.model
    assert np.isfinite(DIMENSION)
