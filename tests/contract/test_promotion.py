"""What a board or a scratchpad found out becomes memories, once, over each wire and in the twin."""

import asyncio

import pytest

from pinak_ray import Swarm
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.links import LinkKind
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.promotion import Skipped
from pinak_ray.records.memory.recall import Hit


async def found(swarm: Swarm, query: str) -> list[Hit]:
    """Recall over words, which are there with the receipt."""
    return list((await swarm.agent("reader").recall(query, recipe="lexical")).hits)


async def test_sure_findings_become_memories_with_their_provenance(swarm: Swarm) -> None:
    """A memory says who found it, where, how surely, for which question and on which board."""
    board = swarm.board("incident")
    question = await board.ask("why is checkout slow?", author="ann")
    finding = await board.post(
        "migration 42 locks the orders table",
        author="ann",
        confidence=0.9,
        questions=[question.id],
        source_url="https://wiki.example/42",
    )
    await board.post("perhaps it is the weather", author="bob", confidence=0.3)

    promotion = await board.promote(author="lead", session="incident 7")
    assert [each.entry for each in promotion.promoted] == [finding.id]
    assert promotion.skipped == {Skipped.LOW_CONFIDENCE: 1}
    (hit,) = await found(swarm, "migration orders")
    assert hit.id == promotion.promoted[0].memory
    assert (hit.agent, hit.layer, hit.session) == ("ann", Layer.SEMANTIC, "incident 7")
    assert hit.source == hit.details["source_url"] == "https://wiki.example/42"
    assert hit.details["confidence"] == 0.9
    assert hit.details["questions"] == {str(question.id): "why is checkout slow?"}
    where = {name: hit.details["promoted"][name] for name in ("space", "owner", "entry")}
    assert where == {"space": "board", "owner": "incident", "entry": str(finding.id)}
    assert await found(swarm, "weather") == []


async def test_promoting_again_stores_nothing_new(swarm: Swarm) -> None:
    """The second time, and two at the same time, make neither memories nor links."""
    board = swarm.board("incident")
    question = await board.ask("why?", author="ann")
    for content in ("locks are held", "replicas lag", "queues are long"):
        await board.post(content, author="ann", confidence=0.9, questions=[question.id])

    both = await asyncio.gather(*(board.promote(author=name) for name in ("lead", "other")))
    again = await board.promote(author="lead")
    assert sum(len(each.promoted) for each in both) == 3
    assert sum(each.links for each in both) == 2
    assert (again.promoted, again.links) == ((), 0)
    assert again.skipped == {Skipped.UNCHANGED: 3}
    assert len((await swarm.agent("reader").recall(recipe="recent")).hits) == 3


async def test_memories_of_one_question_are_linked(swarm: Swarm) -> None:
    """Each is at most two links away from any other, also those that came with a later promotion;
    what is below the bar stands between none of them."""
    board = swarm.board("incident")
    question = await board.ask("why?", author="ann")
    options = {"author": "ann", "questions": [question.id]}
    await board.post("a guess", confidence=0.1, **options)
    await board.post("locks are held", confidence=0.9, **options)
    await board.post("replicas lag", confidence=0.9, **options)
    first = await board.promote(author="lead")
    await board.post("queues are long", confidence=0.9, **options)
    second = await board.promote(author="lead")

    memories = {each.memory for each in (*first.promoted, *second.promoted)}
    (late,) = second.promoted
    kinds = [LinkKind.REFERS_TO]
    related = await swarm.agent("reader").related(late.memory, depth=2, kinds=kinds)
    assert {each.hit.id for each in related} == memories - {late.memory}
    assert len(memories) == 3
    assert first.links == second.links == 1


async def test_a_changed_finding_revises_its_memory(swarm: Swarm) -> None:
    """What the finding says now takes the place of what it said; the same again is no revision."""
    board = swarm.board("incident")
    await board.post("migration 42 locks orders", author="ann", confidence=0.8)
    (first,) = (await board.promote(author="lead")).promoted
    await board.post(
        "migration 42 locks orders", author="bob", confidence=0.95, source_url="https://log/1"
    )

    (revised,) = (await board.promote(author="lead")).promoted
    assert revised.entry == first.entry
    assert revised.revised
    assert revised.memory != first.memory
    (hit,) = await found(swarm, "migration")
    assert hit.id == revised.memory
    assert (hit.details["confidence"], hit.source) == (0.95, "https://log/1")
    assert (await board.promote(author="lead")).skipped == {Skipped.UNCHANGED: 1}


async def test_contradicted_findings_wait_and_the_refuted_one_stays_out(swarm: Swarm) -> None:
    """Held until the contradiction is resolved; then one is promoted, and says what it refuted if
    that was a memory before."""
    board = swarm.board("incident")
    wrong = await board.post("a backup locks orders", author="bob", confidence=0.8)
    (earlier,) = (await board.promote(author="lead")).promoted
    right = await board.post("migration 42 locks orders", author="ann", confidence=0.9)
    unresolved = await board.contradict(wrong.id, right.id, "only one of them", author="eve")

    waiting = await board.promote(author="lead")
    assert waiting.promoted == ()
    assert {each.entry for each in waiting.held} == {wrong.id, right.id}
    assert waiting.held[0].contradictions == (unresolved.id,)

    await board.resolve(unresolved.id, how="pg_locks says so", kept=right.id, author="eve")
    promotion = await board.promote(author="lead")
    assert [each.entry for each in promotion.promoted] == [right.id]
    assert promotion.skipped == {Skipped.REFUTED: 1}
    kinds = [LinkKind.CONTRADICTS]
    related = await swarm.agent("reader").related(promotion.promoted[0].memory, kinds=kinds)
    assert [each.hit.id for each in related] == [earlier.memory]


async def test_what_a_memory_says_already_is_not_stored_again(swarm: Swarm) -> None:
    """Not of another board, nor of an agent that remembered it by itself."""
    await swarm.agent("eve").remember("the sky is blue")
    for name in ("one", "two"):
        board = swarm.board(name)
        await board.post("water is wet", author="ann", confidence=0.9)
        await board.post("the sky is blue", author="ann", confidence=0.9)

    first = await swarm.board("one").promote(author="lead")
    second = await swarm.board("two").promote(author="lead")
    assert (len(first.promoted), first.skipped) == (1, {Skipped.DUPLICATE: 1})
    assert (second.promoted, second.skipped) == ((), {Skipped.DUPLICATE: 2})
    assert len(await found(swarm, "water")) == len(await found(swarm, "sky")) == 1


async def test_a_memory_that_was_revised_by_hand_stays_as_it_is(swarm: Swarm) -> None:
    """Promoting the same finding again does not take a revision back."""
    board = swarm.board("incident")
    await board.post("migration 42 locks orders", author="ann", confidence=0.9)
    (promoted,) = (await board.promote(author="lead")).promoted
    await swarm.agent("ann").revise(promoted.memory, "migration 42 locked orders until noon")

    again = await board.promote(author="lead")
    assert (again.promoted, again.skipped) == ((), {Skipped.UNCHANGED: 1})
    assert [hit.content for hit in await found(swarm, "migration")] == [
        "migration 42 locked orders until noon"
    ]


async def test_reasoning_becomes_episodic_memories_linked_to_its_premises(swarm: Swarm) -> None:
    """A step is the agent's, holds its conclusion, and is derived from the step under it."""
    pad = swarm.agent("ann").scratchpad
    seen = await pad.observe("pg_locks shows AccessExclusiveLock on orders", relevance=0.9)
    under = await pad.reason("the migration holds the lock", premises=[seen.id], confidence=0.9)
    step = await pad.reason(
        "nothing else waits for it",
        premises=[under.id],
        conclusion="stop the migration",
        confidence=0.8,
    )
    await pad.reason("perhaps a full moon", confidence=0.2)

    promotion = await pad.promote()
    assert [each.entry for each in promotion.promoted] == [under.id, step.id]
    assert promotion.links == 1
    hit = (await found(swarm, "stop migration nothing waits"))[0]
    assert (hit.agent, hit.layer, hit.source) == ("ann", Layer.EPISODIC, "agent/ann")
    assert hit.content == "nothing else waits for it\nstop the migration"
    kinds = [LinkKind.DERIVED_FROM]
    related = await swarm.agent("reader").related(hit.id, kinds=kinds)
    assert [each.hit.content for each in related] == ["the migration holds the lock"]


async def test_a_scratchpad_below_the_quality_bar_promotes_nothing(swarm: Swarm) -> None:
    """Sure steps on no evidence are not worth remembering, where a bar is set."""
    pad = swarm.agent("ann").scratchpad
    await pad.reason("surely so", confidence=0.9)
    quality = (await pad.quality()).overall

    below = await pad.promote(min_quality=min(1.0, quality + 0.01))
    assert (below.promoted, below.skipped) == ((), {Skipped.LOW_QUALITY: 1})
    assert len((await pad.promote(min_quality=quality)).promoted) == 1


async def test_a_finding_that_no_memory_can_hold_does_not_hold_up_the_others(swarm: Swarm) -> None:
    """A step whose text and conclusion together are too long is counted, not raised."""
    pad = swarm.agent("ann").scratchpad
    long = "x" * 60_000
    await pad.reason(long, conclusion=long, confidence=0.9)
    await pad.reason("a short one", confidence=0.9)

    promotion = await pad.promote()
    assert (len(promotion.promoted), promotion.skipped) == (1, {Skipped.UNFIT: 1})


async def test_bad_bars_are_refused(swarm: Swarm) -> None:
    """A bar is from 0 to 1, and whoever promotes has a name."""
    board, pad = swarm.board("incident"), swarm.agent("ann").scratchpad
    for attempt in (
        lambda: board.promote(author="lead", min_confidence=1.5),
        lambda: board.promote(author=""),
        lambda: pad.promote(min_quality=-1),
        lambda: pad.promote(min_confidence=float("nan")),
    ):
        with pytest.raises(InvalidInput):
            await attempt()
