"""The contract of links: the same over Ray, over HTTP and in the twin."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray import InvalidInput, NotFound, Swarm
from pinak_ray.records.memory.links import LinkKind
from pinak_ray.records.memory.memories import Ack
from tests.support.waiting import until

NAME = "team/ü é"


async def three(swarm: Swarm) -> list[UUID]:
    """Remember an outage, a deploy and a fix that have no words in common."""
    ada = swarm.agent("ada")
    texts = ("checkout returned errors", "billing 42 was rolled out", "restart pods by hand")
    return [(await ada.remember(text)).id for text in texts]


async def test_links_are_followed_both_ways(swarm: Swarm) -> None:
    """What one end leads to leads back, with author, kind, depth and the path's strength."""
    outage, deploy, fix = await three(swarm)
    bob = swarm.agent(NAME)
    receipt = await bob.link(outage, deploy, "caused_by", strength=0.8)
    await bob.link(str(fix), outage, LinkKind.FIXES, strength=0.5, ack="searchable")
    near = await bob.related(deploy)
    far = await bob.related(deploy, depth=2)

    assert (receipt.ack, receipt.new, receipt.version) == (Ack.DURABLE, True, None)
    (one,) = near
    assert (one.hit.id, one.hit.content) == (outage, "checkout returned errors")
    assert (one.strength, one.depth, one.hit.score) == (0.8, 1, 0.8)
    assert (one.link.from_id, one.link.to_id, one.link.kind, one.link.strength) == (
        outage, deploy, LinkKind.CAUSED_BY, 0.8,
    )  # fmt: skip
    assert (one.link.author, far[0]) == (NAME, one)
    assert [(each.hit.id, each.strength, each.depth) for each in far] == [
        (outage, 0.8, 1), (fix, 0.4, 2),
    ]  # fmt: skip


async def test_bounds_narrow_what_is_related(swarm: Swarm) -> None:
    """Depth, strength, kinds and k each leave what they name."""
    outage, deploy, fix = await three(swarm)
    ada = swarm.agent("ada")
    await ada.link(outage, deploy, "caused_by", strength=0.8)
    await ada.link(outage, fix, "follows", strength=0.5)
    expected: list[tuple[dict[str, Any], list[UUID]]] = [
        ({}, [deploy, fix]),
        ({"min_strength": 0.6}, [deploy]),
        ({"kinds": ["follows"]}, [fix]),
        ({"kinds": ["follows", "caused_by"], "k": 1}, [deploy]),
        ({"kinds": "answers"}, []),
    ]

    assert expected == [
        (options, [each.hit.id for each in await ada.related(outage, **options)])
        for options, _ in expected
    ]


async def test_a_link_is_made_and_removed_once(swarm: Swarm) -> None:
    """A repeated link is not new, nor is a repeated removal; one kind leaves the other."""
    outage, deploy, _ = await three(swarm)
    ada = swarm.agent("ada")
    made = [await ada.link(outage, deploy, kind) for kind in ("follows", "follows", "caused_by")]
    removed = [await ada.unlink(outage, deploy, "follows") for _ in range(2)]
    backwards = await ada.unlink(deploy, outage, "caused_by")
    (left,) = await ada.related(deploy)

    assert [receipt.new for receipt in made] == [True, False, True]
    assert [receipt.new for receipt in (*removed, backwards)] == [True, False, False]
    assert made[0].id == made[1].id == removed[0].id != made[2].id
    assert left.link.kind is LinkKind.CAUSED_BY


async def test_unknown_memories_are_not_found(swarm: Swarm) -> None:
    """Nothing leads from or to a memory that is not there; removing such a link is no error."""
    outage, *_ = await three(swarm)
    ada = swarm.agent("ada")
    for ask in (
        ada.link(outage, uuid4()), ada.link(uuid4(), outage), ada.related(uuid4()),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await ask
    assert not (await ada.unlink(outage, uuid4())).new


BAD: dict[str, Any] = {
    "to itself": lambda a, i: a.link(i, i),
    "kind": lambda a, i: a.link(i, uuid4(), "loves"),
    "strength": lambda a, i: a.link(i, uuid4(), strength=2),
    "id": lambda a, i: a.link("one", i),
    "depth": lambda a, i: a.related(i, depth=5),
    "expand": lambda a, i: a.recall("x", expand=5),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_links_are_the_same_error(swarm: Swarm, what: str) -> None:
    """Whatever breaks the contract raises InvalidInput, on each wire."""
    with pytest.raises(InvalidInput):
        await BAD[what](swarm.agent("ada"), uuid4())


async def test_a_recall_expands_along_links(swarm: Swarm) -> None:
    """Behind its hits come the linked memories, farther only when asked; by default none."""
    outage, deploy, fix = await three(swarm)
    ada = swarm.agent("ada")
    await ada.link(outage, deploy, "caused_by", strength=0.5)
    await ada.link(deploy, fix, "follows")

    async def found(**options: Any) -> list[UUID]:
        result = await ada.recall("checkout", recipe="lexical", **options)
        return [hit.id for hit in result.hits]

    plain = await ada.recall("checkout", recipe="lexical")
    traced = await ada.recall("checkout", recipe="lexical", expand=1, trace=True)

    assert [hit.id for hit in plain.hits] == [outage]
    assert await found(expand=1) == [outage, deploy]
    assert sorted(await found(expand=2)) == sorted([outage, deploy, fix])
    assert await found(expand=2, k=1) == [outage, deploy]
    # Between two recalls the Indexer may count words: scores compare within one only.
    assert traced.hits[1].score == pytest.approx(traced.hits[0].score * 0.5)
    assert [(s.name, s.score) for s in traced.hits[1].signals] == [("link", 0.5)]
    assert traced.trace is not None
    assert traced.trace.candidates["link"] == 1


async def test_similar_memories_are_linked_by_themselves(swarm: Swarm) -> None:
    """Some time after both are remembered the one leads to the other, without an author."""
    ada = swarm.agent("ada")
    text = "migration 42 locks the orders table"
    one = await ada.remember(text)
    two = await ada.remember(text)

    async def linked() -> Any:
        return await ada.related(one.id)

    # Links are made in the time that indexing leaves, behind those of earlier tests.
    (found,) = await until(linked, what="the memories are linked", deadline_s=240)

    assert (found.hit.id, found.link.kind, found.link.author) == (two.id, LinkKind.SIMILAR, None)
    assert (found.link.from_id, found.link.to_id) == (two.id, one.id)
    assert found.strength == pytest.approx(1.0, abs=1e-3)
