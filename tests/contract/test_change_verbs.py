"""revise and forget: the same over Ray, over HTTP and in the twin."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray import InvalidInput, NotFound, Superseded, Swarm
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Ack, Layer, Outcome


async def found(swarm: Swarm, query: str, **options: Any) -> list[str]:
    """Return the contents that a recall finds, sorted."""
    result = await swarm.agent("reader").recall(query, **options)
    return sorted(hit.content for hit in result.hits)


async def test_a_revision_is_found_instead(swarm: Swarm) -> None:
    """What is given is new, what is not is as it was, and as of before the old one answers."""
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    old = await ada.remember(
        "orders are locked", layer="episodic", tags=["db"], outcome="failure", details={"n": 1}
    )
    new = await bob.revise(old.id, "orders are open", outcome="success")
    (hit,) = (await ada.recall("orders", recipe="lexical")).hits
    before = hit.created_at.replace(microsecond=0)

    assert (new.ack, new.new, new.version) == (Ack.DURABLE, True, None)
    assert (hit.id, hit.content, hit.agent) == (new.id, "orders are open", "bob")
    assert (hit.layer, hit.tags, hit.outcome) == (Layer.EPISODIC, ("db",), Outcome.SUCCESS)
    assert hit.details == {"n": 1}
    assert "orders are open" not in await found(swarm, "orders", recipe="lexical", as_of=before)


@pytest.mark.parametrize("ack", Ack)
async def test_a_revision_is_durable_at_least(swarm: Swarm, ack: Ack) -> None:
    """`accepted` is reached with `durable`; a searchable one is found by its meaning."""
    old = await swarm.agent("ada").remember("orders are locked")
    receipt = await swarm.agent("ada").revise(old.id, "orders are open", ack=ack)

    assert receipt.ack is (Ack.DURABLE if ack is Ack.ACCEPTED else ack)
    assert await found(swarm, "orders") == ["orders are open"]


async def test_a_repeated_revision_happens_once(swarm: Swarm) -> None:
    """The same idempotency key is the same revision; another one hears of the successor."""
    ada = swarm.agent("ada")
    old = await ada.remember("orders one")
    first = await ada.revise(old.id, "orders two", idempotency_key="k")
    again = await ada.revise(str(old.id), "orders two", idempotency_key="k")
    with pytest.raises(Superseded) as caught:
        await swarm.agent("bob").revise(old.id, "orders three")

    assert (first.id, True, False) == (again.id, first.new, again.new)
    assert caught.value.args == (old.id, first.id)
    assert await found(swarm, "orders") == ["orders two"]


async def test_of_revisions_at_once_one_wins(swarm: Swarm) -> None:
    """Every other caller hears Superseded."""
    old = await swarm.agent("ada").remember("orders")
    results = await asyncio.gather(
        *(swarm.agent(f"a{n}").revise(old.id, f"orders {n}") for n in range(8)),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, BaseException)]

    assert [type(result) for result in results].count(Superseded) == 7
    assert [hit.id for hit in (await swarm.agent("r").recall("orders")).hits] == [won[0].id]


async def test_a_forgotten_memory_is_found_no_more(swarm: Swarm) -> None:
    """By nobody, by no recipe, not as of before either; forgetting again is not new."""
    ada = swarm.agent("ada")
    secret = await ada.remember("orders secret", session="s", ack="searchable")
    await ada.remember("orders public", session="s", ack="searchable")
    (seen, *_) = (hit.created_at for hit in (await ada.recall("secret", k=1)).hits)
    first = await swarm.agent("bob").forget(secret.id)
    again = await ada.forget(str(secret.id))

    assert (first.id, first.ack, first.new, again.new) == (secret.id, Ack.DURABLE, True, False)
    assert await found(swarm, "secret", recipe="lexical") == []
    assert await found(swarm, "orders secret") == ["orders public"]
    assert await found(swarm, "secret", recipe="lexical", as_of=seen) == []


async def test_an_accepted_memory_can_be_forgotten(swarm: Swarm) -> None:
    """Forgetting comes after what its agent was given a receipt for."""
    ada = swarm.agent("tester")  # over HTTP the token's subject forgets
    receipts = [await ada.remember(f"orders {n}", ack="accepted") for n in range(20)]
    await asyncio.gather(*(ada.forget(receipt.id) for receipt in receipts))

    assert await found(swarm, "orders") == []


async def test_what_cannot_be_changed(swarm: Swarm, namespace: NamespaceKey) -> None:
    """Unknown and forgotten memories are NotFound to a revision; what is no id is bad input."""
    ada = swarm.agent("ada")
    gone = await ada.remember("orders")
    await ada.forget(gone.id)
    for nothing in (gone.id, uuid4()):
        with pytest.raises(NotFound):
            await ada.revise(nothing, "x")
    assert not (await ada.forget(UUID(int=1))).new
    for bad in (
        lambda: ada.revise("no id", "x"),
        lambda: ada.revise(gone.id, ""),
        lambda: ada.revise(gone.id, "x", outcome="great"),
        lambda: ada.revise(gone.id, "x", idempotency_key=" "),
        lambda: ada.forget("no id"),
    ):
        with pytest.raises(InvalidInput):
            await bad()
