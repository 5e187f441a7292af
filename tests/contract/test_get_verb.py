"""The contract of `get`: the same over Ray, over HTTP and in the twin."""

from typing import Any
from uuid import uuid4

import pytest

from pinak_ray import InvalidInput, Swarm


async def test_memories_are_read_by_their_ids(swarm: Swarm) -> None:
    """In the order that was asked for, each once, by whomever; what is not there is named."""
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    first = await ada.remember("orders is locked", tags=["orders"], details={"table": "orders"})
    second = await bob.remember("billing is slow", entities=["billing"], salience=0.75)
    nowhere = uuid4()

    found = await ada.get([second.id, str(nowhere), first.id, second.id])

    assert [(one.id, one.agent, one.content) for one in found.memories] == [
        (second.id, "bob", "billing is slow"),
        (first.id, "ada", "orders is locked"),
    ]
    assert (found.missing, found.left_out) == ((nowhere,), ())
    slow, locked = found.memories
    assert (slow.entities, slow.salience, slow.superseded_by) == (("billing",), 0.75, None)
    assert (locked.tags, locked.details) == (("orders",), {"table": "orders"})


async def test_what_was_revised_is_read_and_what_was_forgotten_is_not(swarm: Swarm) -> None:
    """A superseded memory says what took its place; a forgotten one is missing."""
    ada = swarm.agent("ada")
    old = await ada.remember("the port is 80")
    new = await ada.revise(old.id, "the port is 8443")
    gone = await ada.remember("the port is open")
    await ada.forget(gone.id)

    found = await ada.get([old.id, new.id, gone.id])

    assert [one.superseded_by for one in found.memories] == [new.id, None]
    assert found.missing == (gone.id,)


async def test_one_answer_holds_some_4_mib(swarm: Swarm) -> None:
    """What is beyond it is named, and can be asked for."""
    ada = swarm.agent("ada")
    ids = [(await ada.remember(f"{place} " + "x" * 65_000)).id for place in range(24)]

    found = await ada.get(ids)

    assert 0 < len(found.left_out) < len(ids)
    assert [one.id for one in found.memories] + list(found.left_out) == ids
    assert (await ada.get(found.left_out)).left_out == ()


@pytest.mark.parametrize("bad", ["one", [1], [uuid4() for _ in range(201)]])
async def test_what_is_no_list_of_ids_is_refused(swarm: Swarm, bad: Any) -> None:
    """A text is no list, a number no id, and 200 are enough."""
    with pytest.raises(InvalidInput):
        await swarm.agent("ada").get(bad)
