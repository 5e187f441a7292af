"""The verbs over Ray: two lanes with one meaning, handles that travel, and walls that hold."""

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import ray

from pinak_ray import (
    AgentHandle,
    IdempotencyMismatch,
    InvalidInput,
    Superseded,
    Swarm,
    VersionConflict,
)
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.state.owners import EntryKind

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

FAILURE = "deploying billing failed: migration 42 locks the orders table"


@pytest.fixture(params=["awaited", "remote"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function that uses a verb in one of its two lanes."""

    async def call(verb: Any, *arguments: Any, **named: Any) -> Any:
        if request.param == "remote":
            return await verb.remote(*arguments, **named)
        return await verb(*arguments, **named)

    return call


async def test_a_memory_is_found_once_searchable(swarm: Swarm, call: Any) -> None:
    """The receipt says how far the write came; recall finds it with every field."""
    ada = swarm.agent("ada")
    receipt = await call(
        ada.remember, FAILURE, layer="episodic", outcome="failure", tags=["db"], ack="searchable"
    )
    found = await call(ada.recall, "what locks the orders table?", k=3)

    assert (receipt.ack, receipt.new, receipt.version) == (Ack.SEARCHABLE, True, None)
    assert [(receipt.id, FAILURE, ("db",))] == [(h.id, h.content, h.tags) for h in found.hits]


async def test_a_searchable_memory_is_found_by_meaning(swarm: Swarm, call: Any) -> None:
    """Once searchable a memory is found without any common word."""
    ada = swarm.agent("ada")
    receipt = await call(ada.remember, "the cat sleeps on the sofa", ack="searchable")
    found = await call(ada.recall, "where do kittens nap?", recipe="dense")

    assert [receipt.id] == [hit.id for hit in found.hits]


async def test_a_memory_is_revised_and_forgotten(swarm: Swarm, call: Any) -> None:
    """Each is done once the receipt is there; who comes second hears which memory won."""
    ada = swarm.agent("ada")
    old = await call(ada.remember, "orders are locked")
    new = await call(ada.revise, old.id, "orders are open", ack="searchable")
    with pytest.raises(Superseded) as caught:
        await call(ada.revise, old.id, "orders are gone")
    found = await call(ada.recall, "orders")
    forgotten = await call(ada.forget, new.id)

    assert (caught.value.successor, new.ack) == (new.id, Ack.SEARCHABLE)
    assert [hit.id for hit in found.hits] == [new.id]
    assert (forgotten.id, forgotten.new) == (new.id, True)
    assert (await call(ada.recall, "orders")).hits == ()


async def test_a_repeated_idempotency_key_stores_once(swarm: Swarm, call: Any) -> None:
    """The second call returns the first one's id, is not new, and changes nothing."""
    ada = swarm.agent("ada")
    first = await call(ada.remember, "first", idempotency_key="k")
    again = await call(ada.remember, "first", idempotency_key="k")
    with pytest.raises(IdempotencyMismatch):
        await call(ada.remember, "second", idempotency_key="k")
    found = await call(ada.recall, "first second")

    assert (first.id, True, False) == (again.id, first.new, again.new)
    assert [hit.content for hit in found.hits] == ["first"]


async def test_working_items_are_written_and_read(swarm: Swarm, call: Any) -> None:
    """Versions rise by one; items come back by key, all of them, and as context."""
    ada = swarm.agent("ada")
    versions = [(await call(ada.note, "plan", {"step": step})).version for step in range(3)]
    await call(ada.note, "über/ordner", "ö")
    (item,) = await call(ada.recollect, "plan")
    everything = await call(ada.recollect)
    context = await call(ada.context, 100)

    assert versions == [1, 2, 3]
    assert (item.value, item.version) == ({"step": 2}, 3)
    assert [item.key for item in everything] == ["plan", "über/ordner"]
    assert context.text == 'über/ordner: "ö"\nplan: {"step":2}'


async def test_a_lost_compare_and_set_is_a_version_conflict(swarm: Swarm, call: Any) -> None:
    """The loser hears which version is there, in both lanes, and changes nothing."""
    ada = swarm.agent("ada")
    await call(ada.note, "plan", "mine", expected_version=0)
    with pytest.raises(VersionConflict) as caught:
        await call(ada.note, "plan", "theirs", expected_version=0)

    assert (caught.value.expected, caught.value.current) == (0, 1)
    assert [item.value for item in await call(ada.recollect, "plan")] == ["mine"]


async def test_a_scratchpad_keeps_its_order(swarm: Swarm, call: Any) -> None:
    """Entries come back oldest first, after a cursor, by kind."""
    pad = swarm.agent("ada").scratchpad
    for index in range(4):
        await call(pad.post, f"{index}", kind="task" if index % 2 else "question")
    entries = await call(pad.read)
    later = await call(pad.read, after=entries[1].seq, limit=1)
    tasks = await call(pad.read, kinds=["task"])

    assert [(f"{index}", index + 1) for index in range(4)] == [(e.content, e.seq) for e in entries]
    assert [entry.content for entry in later] == ["2"]
    assert [entry.content for entry in tasks] == ["1", "3"]


async def test_a_board_is_shared(swarm: Swarm, call: Any) -> None:
    """Findings add up, a public entry is replaced in place under compare-and-set."""
    board = swarm.board("migration")
    await call(board.post, "orders is locked", author="ada", details={"table": "orders"})
    first = await call(board.post, "draft", author="ada", kind="public", key="plan")
    second = await call(
        board.post, "final", author="bob", kind="public", key="plan", expected_version=1
    )
    with pytest.raises(VersionConflict):
        await call(board.post, "late", author="eve", kind="public", key="plan", expected_version=1)
    finding, plan = await call(board.read)

    assert (first.id, 1, 2) == (second.id, first.version, second.version)
    assert (finding.kind, finding.details) == (EntryKind.FINDING, {"table": "orders"})
    assert (plan.content, plan.author, plan.version, plan.seq) == ("final", "bob", 2, 3)


async def test_an_intent_hears_of_the_failure(swarm: Swarm, call: Any) -> None:
    """Before a like action the past failure comes back; a harmless one hears nothing."""
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    await call(ada.remember, FAILURE, layer="episodic", outcome="failure", ack="searchable")
    (nudge,) = await call(bob.intend, "deploy billing with migration 42", tool="kubectl")
    silent = await call(bob.intend, "read the README")

    assert [hit.content for hit in nudge.evidence] == [FAILURE]
    assert silent == ()


async def test_a_context_is_read_in_both_lanes(swarm: Swarm, call: Any) -> None:
    """A verb of several operations has an ObjectRef as well."""
    ada = swarm.agent("ada")
    await call(ada.note, "plan", 1)
    context = await call(ada.context, 100)

    assert (context.text, context.saving) == ("plan: 1", 0.0)


async def test_bad_input_is_refused_before_anything_is_sent(swarm: Swarm) -> None:
    """Both lanes check on the caller's side, at the call."""
    ada = swarm.agent("ada")
    for lane in (ada.remember, ada.remember.remote):
        with pytest.raises(InvalidInput, match="content is empty"):
            lane("")
    for lane in (ada.note, ada.note.remote):
        with pytest.raises(InvalidInput, match=r"start with \$"):
            lane("$intent", 1)


@ray.remote
def roll_out(agent: AgentHandle, step: int) -> list[Any]:
    """Use a handle inside a task."""
    receipt = ray.get(agent.note.remote("step", step))
    (item,) = ray.get(agent.recollect.remote("step"))
    return [receipt.version, item.value]


@ray.remote
class Worker:
    """An actor of a user that holds a handle and awaits its verbs."""

    def __init__(self, agent: AgentHandle) -> None:
        self.agent = agent

    async def work(self, count: int) -> list[int | None]:
        receipts = await asyncio.gather(*(self.agent.note("n", i) for i in range(count)))
        return [receipt.version for receipt in receipts]


async def test_handles_travel_into_tasks_and_actors(swarm: Swarm) -> None:
    """A pickled handle is the same agent, in a task, in an actor, and back here."""
    ada = swarm.agent("ada")
    in_task = await roll_out.remote(ada, 7)
    worker = Worker.remote(ada)  # type: ignore[attr-defined]
    in_actor = await worker.work.remote(5)
    copy = pickle.loads(pickle.dumps(ada))

    assert in_task == [1, 7]
    assert in_actor == [1, 2, 3, 4, 5]
    assert [item.value for item in await copy.recollect("n")] == [4]


async def test_a_bad_item_in_a_batch_fails_alone(swarm: Swarm) -> None:
    """Among operations that share a batch only the one that loses is refused."""
    ada = swarm.agent("ada")
    results = await asyncio.gather(
        ada.note("a", 1),
        ada.note("b", 1, expected_version=9),
        ada.note("c", 1),
        ada.remember("x", idempotency_key="k"),
        ada.remember("x", idempotency_key="k"),
        ada.remember("y", idempotency_key="k"),
        ada.remember("z"),
        return_exceptions=True,
    )

    assert isinstance(results[1], VersionConflict)
    assert [results[0].version, results[2].version] == [1, 1]
    assert [receipt.new for receipt in (*results[3:5], results[6])] == [True, False, True]
    assert isinstance(results[5], IdempotencyMismatch)
    assert [item.key for item in await ada.recollect()] == ["a", "c"]


async def test_notes_apply_in_the_order_they_were_issued(swarm: Swarm) -> None:
    """500 notes to one key, none awaited in between: versions rise in order, the last one stays."""
    ada = swarm.agent("ada")
    receipts = await asyncio.gather(*(ada.note("n", index) for index in range(500)))
    (item,) = await ada.recollect("n")

    assert list(range(1, 501)) == [receipt.version for receipt in receipts]
    assert (item.value, item.version) == (499, 500)


async def test_racing_writers_have_one_winner(swarm: Swarm) -> None:
    """Of many compare-and-sets on one version exactly one succeeds."""
    agents = [swarm.agent("ada") for _ in range(20)]
    results = await asyncio.gather(
        *(agent.note("lock", i, expected_version=0) for i, agent in enumerate(agents)),
        return_exceptions=True,
    )
    (item,) = await agents[0].recollect("lock")

    assert sum(isinstance(result, VersionConflict) for result in results) == 19
    assert not isinstance(results[item.value], Exception)


async def test_namespaces_are_walls(join: Callable[[str], Swarm]) -> None:
    """Two projects share no memory, no working item, no entry, and no idempotency key."""
    one, other = join("one"), join("other")
    for swarm, secret in ((one, "red fox"), (other, "blue whale")):
        ada = swarm.agent("ada")
        await ada.remember(f"the secret is {secret}", idempotency_key="k", ack="searchable")
        await ada.note("secret", secret)
        await ada.scratchpad.post(secret)
        await swarm.board("b").post(secret, author="ada")

    for swarm, secret in ((one, "red fox"), (other, "blue whale")):
        ada = swarm.agent("ada")
        found = await ada.recall("what is the secret, fox or whale?")
        assert [f"the secret is {secret}"] == [hit.content for hit in found.hits]
        assert [secret] == [item.value for item in await ada.recollect()]
        assert [secret] == [entry.content for entry in await ada.scratchpad.read()]
        assert [secret] == [entry.content for entry in await swarm.board("b").read()]


async def test_accepted_writes_are_stored_after_all(swarm: Swarm, fetch: Any) -> None:
    """`accepted` returns before the commit; the next durable write of the agent comes after it."""
    ada = swarm.agent("ada")
    accepted = await ada.note("a", 1, ack="accepted")
    await ada.note("b", 1)
    rows = await fetch(
        "SELECT key FROM pinak.working_items WHERE namespace_id = $1 ORDER BY key",
        swarm.namespace_id,
    )

    assert (accepted.ack, accepted.version) == (Ack.ACCEPTED, 1)
    assert [row["key"] for row in rows] == ["a", "b"]
