"""A caller's key is one write of one agent for as long as what it wrote lives: on every wire."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from pinak_ray import IdempotencyMismatch, Receipt, Swarm
from pinak_ray.records.ids import id_from_key, uuid7
from tests.support.waiting import until

Write = Callable[[Swarm, str, str], Awaitable[Receipt]]
"""Writes something that says this, under this key."""

LIVES_S = 0.5


async def _revised(swarm: Swarm, said: str, key: str) -> Receipt:
    ada = swarm.agent("ada")
    (old,) = await ada.recollect("old") or (None,)
    if old is None:
        first = await ada.remember("the port was 80")
        await ada.note("old", str(first.id))
    old_id = str(first.id) if old is None else old.value
    return await ada.revise(old_id, said, idempotency_key=key)


WRITES: dict[str, Write] = {
    "remember": lambda swarm, said, key: swarm.agent("ada").remember(said, idempotency_key=key),
    "revise": _revised,
    "note": lambda swarm, said, key: swarm.agent("ada").note("plan", said, idempotency_key=key),
    "scratchpad": lambda swarm, said, key: swarm.agent("ada").scratchpad.post(
        said, kind="task", idempotency_key=key
    ),
    "observe": lambda swarm, said, key: swarm.agent("ada").scratchpad.observe(
        said, idempotency_key=key
    ),
    "think": lambda swarm, said, key: swarm.agent("ada").scratchpad.think(
        said, idempotency_key=key
    ),
    "mention": lambda swarm, said, key: swarm.agent("ada").scratchpad.mention(
        said, idempotency_key=key
    ),
    "finding": lambda swarm, said, key: swarm.board("b").post(
        said, author="ada", idempotency_key=key
    ),
    "public": lambda swarm, said, key: swarm.board("b").post(
        said, author="ada", kind="public", key="stand", idempotency_key=key
    ),
    "ask": lambda swarm, said, key: swarm.board("b").ask(said, author="ada", idempotency_key=key),
    "tell": lambda swarm, said, key: swarm.board("b").tell(said, author="ada", idempotency_key=key),
    "add_task": lambda swarm, said, key: swarm.board("b").add_task(
        said, author="ada", idempotency_key=key
    ),
    "done": lambda swarm, said, key: swarm.board("b").done(
        "look", result=said, author="ada", idempotency_key=key
    ),
}
KEYS = ["k", "ü/🦜 k", "url", "id"]


def a_key(form: str) -> str:
    """Return a key of this form: a request's UUIDv7 and the id of something are keys as well."""
    made = {"url": "https://example.org/?q=1#2", "id": str(id_from_key(1, "ada", "k"))}
    return made.get(form, form)


@pytest.mark.parametrize("verb", WRITES)
async def test_a_key_is_one_write(swarm: Swarm, verb: str) -> None:
    """Repeated it is the first write, also after others; for another body it is refused."""
    write, key = WRITES[verb], str(uuid7())
    first = await write(swarm, "it is one", key)
    again = await write(swarm, "it is one", key)
    with pytest.raises(IdempotencyMismatch):
        await write(swarm, "it is two", key)
    later = await write(swarm, "it is one", key)

    assert first.new
    assert again == later == first._replace(new=False)


@pytest.mark.parametrize("verb", ["note", "public", "done"])
async def test_a_key_is_known_after_others_wrote_the_same_place(swarm: Swarm, verb: str) -> None:
    """A repeat brings back nothing that was replaced meanwhile."""
    write = WRITES[verb]
    first = await write(swarm, "one", "first")
    if verb == "done":
        assert not (await write(swarm, "two", "second")).new
    else:
        await write(swarm, "two", "second")
    again = await write(swarm, "one", "first")
    board = [entry.content for entry in await swarm.board("b").read()]
    items = [item.value for item in await swarm.agent("ada").recollect("plan")]

    assert again == first._replace(new=False)
    assert {"note": ["two"], "public": ["two"], "done": ["look"]}[verb] == board + items


@pytest.mark.parametrize("form", KEYS)
async def test_a_key_is_of_one_agent_and_one_kind_of_write(swarm: Swarm, form: str) -> None:
    """Whatever it looks like, each of these is stored."""
    key, board = a_key(form), swarm.board("b")
    receipts = [
        receipt
        for name in ("ada", "bob")
        for receipt in (
            await swarm.agent(name).remember(f"words of {name}", idempotency_key=key),
            await swarm.agent(name).note("plan", name, idempotency_key=key),
            await swarm.agent(name).scratchpad.observe(name, idempotency_key=key),
            await board.post(f"found by {name}", author=name, idempotency_key=key),
            await board.post("v", author=name, kind="public", key=name, idempotency_key=key),
            await board.ask(f"why, {name}?", author=name, idempotency_key=key),
        )
    ]
    hits = (await swarm.agent("ada").recall(recipe="recent")).hits

    assert all(receipt.new for receipt in receipts)
    assert len({receipt.id for receipt in receipts}) == len(receipts)
    assert {hit.content for hit in hits} == {"words of ada", "words of bob"}


async def test_anothers_memory_is_no_key_of_mine(swarm: Swarm) -> None:
    """Its id as a key neither takes it over nor tells that it is there."""
    theirs = await swarm.agent("ada").remember("ada's words")
    mine = await swarm.agent("bob").remember("bob's words", idempotency_key=str(theirs.id))
    never = await swarm.agent("bob").remember("more", idempotency_key=str(uuid7()))

    assert (mine.new, never.new) == (True, True)
    assert theirs.id not in (mine.id, never.id)
    assert len((await swarm.agent("ada").recall(recipe="recent")).hits) == 3


async def test_one_key_for_two_targets_is_refused(swarm: Swarm) -> None:
    """The same words about another memory, item, key or task are another write."""
    ada, board = swarm.agent("ada"), swarm.board("b")
    one, two = [await ada.remember(text) for text in ("port is 1", "host is a")]
    await ada.revise(one.id, "it is 2", idempotency_key="r")
    await ada.note("x", 1, idempotency_key="n")
    await board.post("v", author="ada", kind="public", key="x", idempotency_key="p")
    tasks = [(await board.add_task(title, author="ada")).id for title in ("dig", "look")]
    claims = [await board.claim(task, author="ada") for task in tasks]
    await board.release(tasks[0], author="ada", version=claims[0].version, idempotency_key="t")
    for another in (
        lambda: ada.revise(two.id, "it is 2", idempotency_key="r"),
        lambda: ada.remember("it is 2", idempotency_key="r"),
        lambda: ada.note("y", 1, idempotency_key="n"),
        lambda: board.post("v", author="ada", kind="public", key="y", idempotency_key="p"),
        lambda: board.release(
            tasks[1], author="ada", version=claims[1].version, idempotency_key="t"
        ),
    ):
        with pytest.raises(IdempotencyMismatch):
            await another()

    assert [item.key for item in await ada.recollect()] == ["x"]
    assert sorted(h.content for h in (await ada.recall(recipe="recent")).hits) == [
        "host is a", "it is 2",
    ]  # fmt: skip


@pytest.mark.parametrize("again", ["it is one", "it is two"])
async def test_what_was_forgotten_is_stored_anew(swarm: Swarm, again: str) -> None:
    """At once, with the same words or with others; a third time it is the second one."""
    ada = swarm.agent("ada")
    first = await ada.remember("it is one", idempotency_key="k", ack="searchable")
    await ada.forget(first.id)
    second = await ada.remember(again, idempotency_key="k", ack="searchable")
    third = await ada.remember(again, idempotency_key="k")

    assert second.new
    assert third == second._replace(new=False, ack=third.ack)
    assert [h.content for h in (await ada.recall(again)).hits] == [again]


async def test_a_forgotten_revision_is_revised_anew(swarm: Swarm) -> None:
    """With its key or without one: who was superseded by nothing that lives can be revised."""
    ada = swarm.agent("ada")
    old = await ada.remember("port is 1")
    for key in ("k", "k", None):
        new = await ada.revise(old.id, "port is 2", idempotency_key=key)
        assert new.new
        assert [h.content for h in (await ada.recall(recipe="recent")).hits] == ["port is 2"]
        await ada.forget(new.id)


@pytest.mark.parametrize("verb", ["remember", "note", "public", "finding", "done"])
async def test_what_has_expired_is_stored_anew(swarm: Swarm, verb: str) -> None:
    """Its row still lies there; the repeat is new, and can be read."""
    ada, board = swarm.agent("ada"), swarm.board("b")

    async def write(said: str, ttl_s: float | None) -> Receipt:
        match verb:
            case "remember":
                return await ada.remember(said, ttl_s=ttl_s, idempotency_key="k")
            case "note":
                return await ada.note("plan", said, ttl_s=ttl_s, idempotency_key="k")
            case "public":
                return await board.post(
                    said, author="a", kind="public", key="x", ttl_s=ttl_s, idempotency_key="k"
                )
            case "finding":
                return await board.post(said, author="a", ttl_s=ttl_s, idempotency_key="k")
            case _:
                return await board.done(
                    said, result=said, author="a", ttl_s=ttl_s, idempotency_key="k"
                )

    async def seen() -> list[str]:
        hits = (await ada.recall(recipe="recent")).hits
        claims = (await board.claims()).claims if verb == "done" else ()
        return [
            *(hit.content for hit in hits),
            *(item.value for item in await ada.recollect("plan")),
            *(claim.subject for claim in claims),
            *(entry.content for entry in await board.read() if entry.kind != "claim"),
        ]

    first = await write("one", LIVES_S)
    await until(lambda: _none(seen), what="it has expired")
    second = await write("two", 60)
    third = await write("two", 60)

    assert (first.new, second.new, third.new) == (True, True, False)
    assert third.id == second.id
    assert await seen() == ["two"]


async def _none(seen: Callable[[], Awaitable[list[str]]]) -> bool:
    return not await seen()


async def test_an_accepted_write_under_a_key_is_checked_as_well(swarm: Swarm) -> None:
    """What its receipt says is so: it is the first one's, and another body is refused."""
    ada = swarm.agent("ada")
    first = await ada.remember("it is one", idempotency_key="k", ack="accepted")
    again = await ada.remember("it is one", idempotency_key="k", ack="accepted")
    with pytest.raises(IdempotencyMismatch):
        await ada.remember("it is two", idempotency_key="k", ack="accepted")

    assert (again.id, again.new, first.ack) == (first.id, False, "durable")
    assert UUID(int=first.id.int).version == 7
