"""What is taken and what is refused at the border is the same over each wire and in the twin."""

from collections.abc import Callable
from typing import Any

import pytest

from pinak_ray import Swarm
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import uuid7


def nested(levels: int) -> dict[str, Any]:
    """Return objects in objects."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


OUTGROWING = {"n": [1e300] * 3_000}
ATTACHED: list[tuple[str, Callable[[Swarm, Any], Any]]] = [
    ("details", lambda swarm, value: swarm.agent("a").remember("x", details=value)),
    ("value", lambda swarm, value: swarm.agent("a").note("k", value)),
    ("arguments", lambda swarm, value: swarm.agent("a").intend("deploy", arguments=value)),
    ("details", lambda swarm, value: swarm.board("b").post("x", author="a", details=value)),
    (
        "details",
        lambda swarm, value: swarm.board("b").post(
            "x", author="a", kind="public", key="k", details=value
        ),
    ),
    ("details", lambda swarm, value: swarm.board("b").add_task("x", author="a", details=value)),
    ("output", lambda swarm, value: swarm.board("b").finish(uuid7(), author="a", output=value)),
    ("result", lambda swarm, value: swarm.board("b").done("x", author="a", result=value)),
    (
        "attributes",
        lambda swarm, value: swarm.agent("a").scratchpad.mention("x", attributes={"v": value}),
    ),
]


@pytest.mark.parametrize("value", [nested(65), nested(252), OUTGROWING, {"n": 2**64}], ids=id)
@pytest.mark.parametrize(("field", "verb"), ATTACHED)
async def test_what_could_not_be_answered_is_refused(
    swarm: Swarm, field: str, verb: Callable[[Swarm, Any], Any], value: Any
) -> None:
    """Depth, digits and integers past their limits: refused by the field's name, in every verb."""
    with pytest.raises(InvalidInput, match=field):
        await verb(swarm, value)


async def test_what_is_taken_is_read_back(swarm: Swarm) -> None:
    """The deepest and the largest that is taken comes back as it was, wherever it is shown."""
    values = {"deep": nested(63), "ends": [2**64 - 1, -(2**63), 1.7e308, 5e-324, 1e16, 0.1]}
    agent, board = swarm.agent("a"), swarm.board("b")
    await agent.remember("orders failed", details=values, outcome="failure", ack="searchable")
    await agent.note("k", values)
    await board.post("x", author="a", details=values)
    task = await board.add_task("t", author="a", details=values)
    await board.claim(task.id, author="a")
    await board.finish(task.id, author="a", output=values)

    assert (await agent.recall("orders failed")).hits[0].details == values
    assert (await agent.recollect("k"))[0].value == values
    assert (await board.tasks()).tasks[0].output == values
    assert values.items() <= (await board.read(kinds=["finding"]))[0].details.items()


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.5-00:01"])
async def test_times_have_a_place_in_utc(swarm: Swarm, time: str) -> None:
    """One that falls off the calendar is refused by its field's name, one at its end is not."""
    agent = swarm.agent("a")
    with pytest.raises(InvalidInput, match="occurred_at"):
        await agent.remember("x", occurred_at=time)
    for field in ("since", "until", "as_of"):
        with pytest.raises(InvalidInput, match=field):
            await agent.recall("x", **{field: time})
    with pytest.raises(InvalidInput, match="at "):
        await agent.scratchpad.mention("x", at=time)
    for end in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"):
        await agent.remember(f"the end {end}", occurred_at=end)
    found = await agent.recall(recipe="recent", since="0001-01-01T00:00:00+00:00")
    assert [hit.occurred_at.year for hit in found.hits] == [9999, 1]


async def test_one_name_is_one_thing(swarm: Swarm) -> None:
    """Composed or not, wide or not: the same agent, key, session, tag, entity, author and board."""
    names = {"wide": "Ｚu\u0308rich", "plain": "Zürich"}
    await swarm.agent(names["wide"]).note(names["wide"], 1)
    await swarm.agent(names["plain"]).remember(
        "x", session=names["wide"], tags=[names["wide"]], entities=[names["wide"]], ack="searchable"
    )
    await swarm.board(names["plain"]).post("x", author=names["wide"], kind="public", key="ｋ")

    for name in names.values():
        agent, board = swarm.agent(name), swarm.board(name)
        assert len(await agent.recollect(name)) == 1
        found = await agent.recall(
            recipe="recent", agents=[name], sessions=[name], tags=[name], entities=[name]
        )
        assert [hit.agent for hit in found.hits] == ["Zürich"]
        assert [(entry.author, entry.key) for entry in await board.read()] == [("Zürich", "k")]


@pytest.mark.parametrize("name", ["lead ", "\u00a0lead", "le\u200bad", "lead\n", "\ufefflead"])
async def test_names_that_look_like_others_are_refused(swarm: Swarm, name: str) -> None:
    """By a word that names the field and the character, wherever a name is given."""
    agent, board = swarm.agent("a"), swarm.board("b")
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("agent", lambda: swarm.agent(name)),
        ("board", lambda: swarm.board(name)),
        ("key", lambda: agent.note(name, 1)),
        ("key", lambda: agent.recollect(name)),
        ("session", lambda: agent.remember("x", session=name)),
        ("tags", lambda: agent.remember("x", tags=[name])),
        ("entities", lambda: agent.recall("x", entities=[name])),
        ("idempotency_key", lambda: agent.remember("x", idempotency_key=name)),
        ("author", lambda: board.post("x", author=name)),
        ("key", lambda: board.ask("x", author="a", key=name)),
        ("reader", lambda: board.notes(reader=name)),
    ]
    for field, call in calls:
        with pytest.raises(InvalidInput, match=rf"{field} .*U\+[0-9A-F]{{4}}"):
            await call()
