"""Promotion and distillation, cut off anywhere: the retry completes them, once."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import pytest

from pinak_ray import Swarm
from pinak_ray.composed.promotion import promote
from pinak_ray.composed.templates import distill
from pinak_ray.language.abstraction import Abstracted
from pinak_ray.records.asking import asked
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.memory.promotion import new_promote
from pinak_ray.records.memory.templates import Distill
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.wiring import Operation
from pinak_ray.testing import LocalSwarm

R = TypeVar("R")


@dataclass
class Dying:
    """The `send` of a process that dies after so many operations: what was sent is done."""

    swarm: Swarm
    left: int
    sent: int = 0

    async def __call__(self, operation: Operation[R], /) -> R:
        self.sent += 1
        if self.sent > self.left:
            raise Unavailable("the gateway died")
        return await self.swarm.transport.send(operation)


async def remembered(swarm: Swarm) -> dict[UUID, Any]:
    """Return every memory with what it is linked to."""
    reader = swarm.agent("reader")
    hits = (await reader.recall(recipe="recent", k=100)).hits
    return {
        hit.id: (
            hit.content,
            {
                (each.hit.id, each.link.kind, each.link.from_id)
                for each in await reader.related(hit.id)
                if each.link.author is not None
            },
        )
        for hit in hits
    }


async def incident(swarm: Swarm) -> Owner:
    """Fill a board with findings, one of which was promoted and has changed since."""
    board = swarm.board("incident")
    question = await board.ask("why?", author="ann", idempotency_key="why")
    options = {"author": "ann", "confidence": 0.8, "questions": [question.id]}
    await board.post("migration 42 locks orders", **options)
    await board.promote(author="lead")
    await board.post("migration 42 locks orders", author="bob", confidence=0.9)
    for content in ("replicas lag", "queues are long", "disks are full"):
        await board.post(content, **options)
    return Owner(swarm.namespace_id, Space.BOARD, "incident")


async def test_a_promotion_that_dies_anywhere_is_completed_by_the_next() -> None:
    """After each number of operations: the retry leaves what an uninterrupted one leaves."""
    whole = LocalSwarm()
    uninterrupted = Dying(whole, 1_000)
    await promote(uninterrupted, new_promote(await incident(whole), "lead"))
    expected = sorted(content for content, _ in (await remembered(whole)).values())
    links = sum(len(linked) for _, linked in (await remembered(whole)).values())
    assert len(expected) == 4
    assert links == 6

    for left in range(uninterrupted.sent):
        swarm = LocalSwarm()
        operation = new_promote(await incident(swarm), "lead")
        with pytest.raises(Unavailable):
            await promote(Dying(swarm, left), operation)
        await swarm.transport.send(operation)
        found = await remembered(swarm)
        assert sorted(content for content, _ in found.values()) == expected
        assert sum(len(linked) for _, linked in found.values()) == links


async def test_a_distillation_that_dies_anywhere_is_completed_by_the_next() -> None:
    """One template with one success, however often it took."""
    for left in range(10):
        swarm = LocalSwarm()
        await swarm.agent("ann").scratchpad.act("restart web-3")
        owner = Owner(swarm.namespace_id, Space.AGENT, "ann")
        operation = asked(Distill, owner, problem="web-3 is gone", quality=0.9)
        dying = Dying(swarm, left)
        try:
            await distill(dying, operation)
        except Unavailable:
            distilled = await swarm.transport.send(operation)
            assert not distilled.merged
        (template,) = (await swarm.agent("bob").templates("web-5 is gone")).templates
        assert (template.runs, template.successes) == (1, 1)
        assert len(await remembered(swarm)) == 1
    assert dying.sent < 10


async def test_a_model_may_abstract_in_the_place_of_the_patterns() -> None:
    """The abstraction is a parameter: what it says is what is stored and compared."""

    def shouted(problem: str, steps: Any, names: Any) -> Abstracted:
        assert list(names) == ["Checkout"]
        return Abstracted(problem.upper(), tuple(step.upper() for step in steps), {})

    swarm = LocalSwarm()
    pad = swarm.agent("ann").scratchpad
    await pad.mention("Checkout")
    await pad.act("restart it")
    owner = Owner(swarm.namespace_id, Space.AGENT, "ann")

    distilled = await distill(
        swarm.transport.send, asked(Distill, owner, problem="it hangs", quality=0.9), shouted
    )
    assert (distilled.problem, distilled.steps) == ("IT HANGS", ("RESTART IT",))
    (template,) = (await swarm.agent("bob").templates("it hangs")).templates
    assert template.steps == ("RESTART IT",)


async def test_more_entries_than_one_page_are_all_promoted() -> None:
    """A board is read to its end."""
    swarm = LocalSwarm()
    board = swarm.board("big")
    posts = (board.post(f"fact {n}", author="ann", confidence=0.9) for n in range(1_020))
    await asyncio.gather(*posts)

    assert len((await board.promote(author="lead")).promoted) == 1_020
