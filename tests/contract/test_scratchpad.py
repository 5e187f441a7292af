"""What an agent does on its scratchpad, over each wire and in the twin."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pinak_ray import Swarm
from pinak_ray.client.elaboration import Elaborated, Move
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from pinak_ray.records.scratchpad.parts import ScratchpadQuestionStatus, Uncertainty
from pinak_ray.records.scratchpad.thoughts import FlawKind, Thought

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_the_four_parts_and_their_quality(swarm: Swarm) -> None:
    """Observations, steps, examples and actions are kept, and judged against the questions."""
    pad = swarm.agent("ada").scratchpad
    question = await pad.ask("why is checkout slow?", criteria="name the query")
    seen = await pad.observe(
        "p95 is 900 ms", type="metric", source="grafana", relevance=0.9, question=question.id
    )
    await pad.reason(
        "the lock explains it", premises=[seen.id], conclusion="lock contention", confidence=0.8
    )
    await pad.example("sql", "count open orders", "SELECT count(*) FROM orders", quality=0.9)
    await pad.act("add index", success=False, error="lock timeout", duration_ms=12.5)

    quality = await pad.quality(weights={"coverage": 0.4})
    assert quality.overall == pytest.approx((0.4 * 0.9 + 0.4 * 0.8 + 0.4) / 1.2)
    assert (quality.evidence, quality.reasoning, quality.coverage) == (0.9, 0.8, 1.0)
    assert quality.indicators == ("1 actions failed",)
    kinds = [entry.kind for entry in await pad.read()]
    assert kinds == ["question", "observation", "reasoning", "example", "trajectory"]


async def test_an_unknown_premise_is_refused(swarm: Swarm) -> None:
    """A step cannot rest on what is not there, and then nothing is written."""
    pad = swarm.agent("ada").scratchpad
    with pytest.raises(NotFound):
        await pad.reason("so it is", premises=[uuid4()])
    with pytest.raises(NotFound):
        await pad.observe("it is slow", question=uuid4())
    with pytest.raises(InvalidInput):
        await pad.reason("so it is", confidence=1.5)

    assert await pad.read() == ()


async def test_questions_are_borne_upon_and_answered(swarm: Swarm) -> None:
    """A status follows from what was written, and a surer answer is not demoted."""
    pad = swarm.agent("ada").scratchpad
    asked = [(await pad.ask(f"question {number}?")).id for number in range(3)]
    seen = await pad.observe("a hint", question=asked[1])
    await pad.answer(asked[2], "forty-two", confidence=0.9, sources=[seen.id])
    with pytest.raises(Conflict):
        await pad.answer(asked[2], "maybe not", confidence=0.4)

    questions = (await pad.questions()).questions
    statuses = [question.status for question in questions]
    assert statuses == [
        ScratchpadQuestionStatus.UNANSWERED,
        ScratchpadQuestionStatus.PARTIAL,
        ScratchpadQuestionStatus.ANSWERED,
    ]
    assert questions[1].bearing == (seen.id,)
    assert (questions[2].answer, questions[2].confidence) == ("forty-two", 0.9)
    answered = await pad.questions(status="answered")
    assert [question.id for question in answered.questions] == [asked[2]]


async def test_an_example_is_found_again(swarm: Swarm) -> None:
    """The example that is like enough is found, and its reuse counted once a call."""
    pad = swarm.agent("ada").scratchpad
    await pad.example("sql", "count the open orders of today", "SELECT 1", quality=0.9)

    found = await pad.find_example("sql", "Count the open orders", idempotency_key="look")
    assert found.example is None
    for reuses in (1, 1):
        found = await pad.find_example(
            "sql", "count the open orders of yesterday", idempotency_key="look again"
        )
        assert found.example is not None
        assert (found.example.output, found.example.reuse_count) == ("SELECT 1", reuses)
    assert (await pad.find_example("shell", "count the open orders of today")).example is None


async def test_reasoning_is_verified(swarm: Swarm) -> None:
    """A contradiction reaches every conclusion behind it, and pruned premises are missing."""
    pad = swarm.agent("ada").scratchpad
    seen = await pad.observe("the disk is full")
    guess = await pad.think("a log grew", edges=[("derives_from", seen.id)], score=0.9)
    weak = await pad.think("a disk died", score=0.2)
    both = await pad.think(
        "logs or hardware",
        type="conclusion",
        edges=[("derives_from", guess.id), ("derives_from", weak.id)],
        score=0.9,
    )
    only = await pad.think(
        "it is the logs", type="conclusion", edges=[("derives_from", guess.id)], score=0.9
    )

    assert (await pad.prune_thoughts(0.3)).pruned == (weak.id, both.id)
    verification = await pad.verify_reasoning()
    assert verification.sound
    answer = await pad.convergent_answer()
    assert answer.conclusion is not None
    assert answer.conclusion.id == only.id
    assert [thought.id for thought in answer.path] == [seen.id, guess.id]

    later = await pad.observe("the disk is half empty", contradicts=[seen.id])
    verification = await pad.verify_reasoning()
    assert not verification.sound
    assert {each.uncertainty for each in verification.checked} == {Uncertainty.CONFLICTING}
    assert {flaw.at for each in verification.checked for flaw in each.flaws} == {seen.id}
    assert later.id not in {each.thought.id for each in verification.checked}


async def test_reasoning_goes_in_no_circle(swarm: Swarm) -> None:
    """A thought that rests on what it supports is refused, and not written."""
    pad = swarm.agent("ada").scratchpad
    first = await pad.think("it rains")
    second = await pad.think("it is wet", edges=[("derives_from", first.id)])
    with pytest.raises(Conflict):
        await pad.think("so it rains", edges=[("derives_from", second.id), ("supports", first.id)])

    assert [thought.id for thought in (await pad.thoughts()).thoughts] == [first.id, second.id]


async def test_a_model_may_elaborate(swarm: Swarm) -> None:
    """What a model says becomes thoughts with the move's type and edges; nothing does without."""
    pad = swarm.agent("ada").scratchpad
    first = await pad.think("it rains", score=0.8)

    async def thinker(move: Move, thoughts: Sequence[Thought]) -> Sequence[Elaborated]:
        return [Elaborated(f"{move} of {thoughts[0].content}", 0.6)]

    (critique,) = await pad.elaborate("critique", [first.id], by=thinker)
    (refined,) = await pad.elaborate(Move.REFINE, [first.id], by=thinker)
    with pytest.raises(NotFound):
        await pad.elaborate("branch", [uuid4()], by=thinker)

    held = {thought.id: thought for thought in (await pad.thoughts()).thoughts}
    assert held[critique.id].content == "critique of it rains"
    assert held[first.id].confidence == pytest.approx(0.8 * (1 - 0.5 * 0.6))
    assert held[refined.id].edges[0].kind == "refines"
    flaws = [each.flaws for each in (await pad.verify_reasoning()).checked]
    assert {flaw.kind for each in flaws for flaw in each} == {FlawKind.CONTRADICTED}


async def test_entities_have_names_states_and_a_timeline(swarm: Swarm) -> None:
    """Names find the entity however they are written, and what was true when is known."""
    pad = swarm.agent("ada").scratchpad
    first = await pad.mention(
        "Order Service", type="service", aliases=["orders"], states={"health": "up"}, at=NOON
    )
    for name in ("ORDERS", "order services"):
        assert (await pad.mention(name, roles=["suspect"])).id == first.id
    await pad.mention("orders", states={"health": "down"}, at=NOON + timedelta(hours=1))
    await pad.mention("billing", type="service", attributes={"team": "blue"})
    await pad.relate("billing", "depends on", "orders", at=NOON)

    then = await pad.entity("orders", at=NOON + timedelta(minutes=59))
    now = await pad.entity("orders")
    assert (then.states, now.states) == ({"health": "up"}, {"health": "down"})
    assert (now.name, now.roles, now.mentions) == ("Order Service", ("suspect",), 4)
    timeline = await pad.timeline("order service")
    up = next(event for event in timeline.events if event.value == "up")
    assert (up.at, up.until) == (NOON, NOON + timedelta(hours=1))
    names = [entity.name for entity in (await pad.entities(type="service")).entities]
    assert names == ["Order Service", "billing"]
    context = await pad.entity_context("what does billing need?", budget_tokens=40)
    assert context.text == "billing (service); team: blue; billing depends on Order Service"
    with pytest.raises(NotFound):
        await pad.entity("nobody")


async def test_a_merge_is_undone(swarm: Swarm) -> None:
    """Two entities that a mention brought together are themselves again, with what each had."""
    pad = swarm.agent("ada").scratchpad
    first = await pad.mention("db-1", states={"role": "primary"}, at=NOON)
    second = await pad.mention("orders-db", states={"role": "replica"}, at=NOON)
    assert (await pad.mention("db-1", aliases=["orders-db"])).id == first.id
    assert len((await pad.entities()).entities) == 1

    assert (await pad.split_entity("db-1", names=["orders-db"])).id == second.id
    held = {entity.name: entity for entity in (await pad.entities()).entities}
    assert {name: entity.states for name, entity in held.items()} == {
        "db-1": {"role": "primary"},
        "orders-db": {"role": "replica"},
    }


async def test_a_scratchpad_is_its_agents_own(swarm: Swarm) -> None:
    """What one agent writes is on no other agent's scratchpad."""
    await swarm.agent("ada").scratchpad.observe("mine")

    assert await swarm.agent("eve").scratchpad.read() == ()
    assert (await swarm.agent("eve").scratchpad.thoughts()).thoughts == ()
