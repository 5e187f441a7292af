"""The contract of every verb: the same over Ray, over HTTP and in the twin."""

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from benchmarks.crowd.failures import failures
from pinak_ray import InvalidInput, Swarm, VersionConflict
from pinak_ray.records.errors import NotFound, WrongDimension
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Ack, Layer, Outcome
from pinak_ray.records.memory.nudges import NudgeKind
from pinak_ray.records.memory.recall import Hit
from pinak_ray.records.state.owners import EntryKind
from tests.support.waiting import until

DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
NAME = "team/ü é?#%2F&日本 🦜"


async def found(swarm: Swarm, query: str, **options: Any) -> list[str]:
    """Return the contents that a recall finds, sorted."""
    result = await swarm.agent("reader").recall(query, recipe="lexical", **options)
    return sorted(hit.content for hit in result.hits)


async def test_a_swarm_names_its_namespace(swarm: Swarm, namespace: NamespaceKey) -> None:
    """Each wire leads to the namespace that was asked for, with its model's dimension."""
    assert (namespace, 384) == (swarm.namespace, swarm.dimension)


async def test_a_memory_comes_back_whole(swarm: Swarm) -> None:
    """Every field that was remembered is on the hit."""
    receipt = await swarm.agent(NAME).remember(
        "migration 42 locks orders 🦜",
        layer="episodic",
        session=NAME,
        details={"ticket": 42, "ü": [None, 1.5, "\\u0000"]},
        tags=["db", NAME],
        entities=["orders"],
        outcome="failure",
        salience=0.9,
        occurred_at=DAY,
        source="https://example.org/?q=ü",
        ack="searchable",
    )
    ((hit),) = (await swarm.agent("reader").recall("what locks orders?", k=1)).hits

    assert (receipt.ack, receipt.new, receipt.version) == (Ack.SEARCHABLE, True, None)
    assert hit == Hit(
        receipt.id,
        "migration 42 locks orders 🦜",
        hit.score,
        Layer.EPISODIC,
        NAME,
        NAME,
        ("db", NAME),
        Outcome.FAILURE,
        DAY,
        hit.created_at,
        {"ticket": 42, "ü": [None, 1.5, "\\u0000"]},
        "https://example.org/?q=ü",
        (),
        relevance=hit.score,
    )


@pytest.mark.parametrize("ack", Ack)
async def test_a_receipt_says_how_far_the_write_came(swarm: Swarm, ack: Ack) -> None:
    """The level that was asked for is on the receipt, and the memory is found in the end."""
    receipt = await swarm.agent("ada").remember("orders are locked", ack=ack)

    assert (ack, True) == (receipt.ack, receipt.new)
    assert await until(lambda: found(swarm, "orders"), what="it is stored") == ["orders are locked"]


async def test_a_repeated_key_stores_once(swarm: Swarm) -> None:
    """The second write under an idempotency key returns the first receipt's id, not new."""
    ada = swarm.agent("ada")
    first = await ada.remember("orders first", idempotency_key=NAME)
    again = await ada.remember("orders first", idempotency_key=NAME)
    other = await swarm.agent("bob").remember("orders third", idempotency_key=NAME)

    assert (first.id, True, False, True) == (again.id, first.new, again.new, other.new)
    assert await found(swarm, "orders") == ["orders first", "orders third"]


async def test_filters_narrow_a_recall(swarm: Swarm) -> None:
    """Layer, agent, session, tags, outcome and time each leave what they name."""
    ada, bob = swarm.agent("ada"), swarm.agent(NAME)
    await asyncio.gather(
        ada.remember("orders one", layer="episodic", outcome="failure", occurred_at=DAY),
        ada.remember("orders two", tags=["db", "slow"], session="s/1"),
        bob.remember("orders three", tags=["db"], occurred_at=DAY + timedelta(days=1)),
    )
    one, two, three = "orders one", "orders two", "orders three"
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [one, three, two]),
        ({"layers": ["episodic"]}, [one]),
        ({"layers": ["episodic", "semantic"]}, [one, three, two]),
        ({"agents": [NAME]}, [three]),
        ({"sessions": ["s/1"]}, [two]),
        ({"tags": ["db"]}, [three, two]),
        ({"tags": ["db", "slow"]}, [two]),
        ({"outcome": "failure"}, [one]),
        ({"since": DAY, "until": DAY + timedelta(days=1)}, [one]),
        ({"since": (DAY + timedelta(seconds=1)).isoformat()}, [three, two]),
        ({"min_score": 1e6}, []),
    ]

    assert expected == [
        (options, await found(swarm, "orders", **options)) for options, _ in expected
    ]
    assert len(await found(swarm, "orders", k=2)) == 2


async def test_a_trace_explains_a_hit(swarm: Swarm) -> None:
    """Asked for, every signal's rank and score is there; otherwise nothing of it."""
    ada = swarm.agent("ada")
    await ada.remember("orders are locked", ack="searchable")
    traced = await ada.recall("orders", trace=True)
    plain = await ada.recall("orders")

    assert traced.trace is not None
    assert {"dense", "lexical"} <= {signal.name for signal in traced.hits[0].signals}
    assert {"dense", "lexical"} <= traced.trace.weights.keys()
    assert (plain.trace, plain.hits[0].signals) == (None, ())


async def test_own_vectors_replace_the_embedding(swarm: Swarm) -> None:
    """A memory and a query may bring vectors of the model's dimension, and no other."""
    ada = swarm.agent("ada")
    east, north = [1.0] + [0.0] * 383, [0.0] * 383 + [1.0]
    await ada.remember("to the east", vector=east)
    await ada.remember("to the north", vector=north)
    result = await ada.recall("whatever", recipe="dense", vector=north, k=1)

    assert [hit.content for hit in result.hits] == ["to the north"]
    with pytest.raises(WrongDimension):
        await ada.remember("short", vector=[1.0, 2.0])


async def test_working_items_round_trip(swarm: Swarm) -> None:
    """Any key and JSON value: read by key, read all, absent ones are an empty tuple."""
    ada = swarm.agent(NAME)
    values = {"plan": {"a": [1, None, True]}, NAME: "ü", "a/b/c": 1.5, "none": None, "..": []}
    versions = [(await ada.note(key, value)).version for key, value in values.items()]
    by_key = {key: [item.value for item in await ada.recollect(key)] for key in values}
    everything = await ada.recollect()

    assert [1] * len(values) == versions
    assert {key: [value] for key, value in values.items()} == by_key
    assert sorted(values.items(), key=lambda pair: pair[0]) == [
        (i.key, i.value) for i in everything
    ]
    assert await ada.recollect("absent") == ()


async def test_compare_and_set(swarm: Swarm) -> None:
    """Versions rise by one; the loser hears key, expected and current version."""
    ada = swarm.agent("ada")
    versions = [
        (await ada.note(NAME, n, expected_version=expected)).version
        for n, expected in enumerate((0, 1, None, 3))
    ]
    with pytest.raises(VersionConflict) as caught:
        await ada.note(NAME, "late", expected_version=2)

    assert (versions, caught.value.args) == ([1, 2, 3, 4], (NAME, 2, 4))
    assert [item.value for item in await ada.recollect(NAME)] == [3]


async def test_an_item_expires(swarm: Swarm) -> None:
    """After its time it is gone, and a new one under version 0 goes on counting."""
    ada = swarm.agent("ada")
    await ada.note("plan", 1, ttl_s=0.2)
    await ada.note("other", 1, ttl_s=3600)

    async def gone() -> bool:
        return await ada.recollect("plan") == ()

    await until(gone, what="the item has expired")
    (other,) = await ada.recollect()
    assert other.expires_at == other.updated_at + timedelta(hours=1)
    assert (await ada.note("plan", 2, expected_version=0)).version == 2


async def test_a_context_fits_its_budget(swarm: Swarm) -> None:
    """The newest items that fit, as text, and how many were left out."""
    ada = swarm.agent("ada")
    await ada.note("long", "x" * 400)
    await ada.note("plan", {"step": 1})
    context = await ada.context(10)

    assert (context.text, context.items, context.omitted) == ('plan: {"step":1}', 1, 1)
    assert 0 < context.tokens <= 10


async def test_a_scratchpad_is_read_by_cursor(swarm: Swarm) -> None:
    """Oldest first, after a sequence number, by kind, with a limit."""
    pad = swarm.agent(NAME).scratchpad
    receipts = [
        await pad.post(f"{n}", kind="task" if n % 2 else "reasoning", details={"n": n})
        for n in range(4)
    ]
    entries = await pad.read()
    page = await pad.read(after=entries[0].seq, limit=2)
    tasks = await pad.read(kinds=[EntryKind.TASK])

    assert [receipt.id for receipt in receipts] == [entry.id for entry in entries]
    assert [(f"{n}", {"n": n}, NAME) for n in range(4)] == [
        (entry.content, entry.details, entry.author) for entry in entries
    ]
    assert ([e.content for e in page], [e.content for e in tasks]) == (["1", "2"], ["1", "3"])


async def test_a_board_holds_findings_and_public_entries(swarm: Swarm) -> None:
    """A retried post is one entry; a public one is replaced in place under compare-and-set."""
    board = swarm.board(NAME)
    finding = await board.post("locked", author="ada", idempotency_key="k")
    again = await board.post("locked", author="ada", idempotency_key="k")
    first = await board.post("draft", author="ada", kind="public", key=NAME, expected_version=0)
    second = await board.post("final", author="bob", kind="public", key=NAME, expected_version=1)
    with pytest.raises(VersionConflict) as caught:
        await board.post("late", author="eve", kind="public", key=NAME, expected_version=1)
    entries = await board.read()

    assert (finding.id, True, False) == (again.id, finding.new, again.new)
    assert (first.id, 1, 2) == (second.id, first.version, second.version)
    assert caught.value.args == (NAME, 1, 2)
    assert [(e.content, e.author, e.key, e.version, e.seq) for e in entries] == [
        ("locked", "ada", None, 1, 1),
        ("final", "bob", NAME, 2, 3),
    ]


async def test_an_intent_hears_of_a_failure(swarm: Swarm) -> None:
    """A like action is warned with the failure as evidence, a harmless one is not."""
    text = "deploying billing failed: migration 42 locks the orders table"
    await swarm.agent("ada").remember(text, layer="episodic", outcome="failure", ack="searchable")
    bob = swarm.agent(NAME)
    (nudge,) = await bob.intend(
        "deploy billing with migration 42", tool="kubectl", arguments={"app": "billing"}
    )

    assert [text] == [hit.content for hit in nudge.evidence]
    assert await bob.intend("read the README") == ()


async def test_among_many_failures_an_intent_hears_of_its_own(swarm: Swarm) -> None:
    """Chance has more to choose from there: so much less each of them counts, and it is said."""
    text = "deploying billing failed: migration 42 locks the orders table"
    others = failures(150, seed=3, among=("household", "industry", "media"))
    ada = swarm.agent("ada")
    await asyncio.gather(
        *(ada.remember(each, outcome="failure", ack="searchable") for each in (text, *others))
    )
    bob = swarm.agent(NAME)
    (nudge,) = await bob.intend("deploy billing with migration 42 on the orders table")

    assert [text] == [hit.content for hit in nudge.evidence]
    assert "less 0.03 for the many failures there are" in nudge.reason


async def test_an_intent_hears_of_a_contradiction(swarm: Swarm) -> None:
    """What goes against a known fact is told with the fact, what agrees with it is not."""
    fact = "The billing service runs in eu-west-1."
    known = await swarm.agent("ada").remember(fact, layer="semantic", ack="searchable")
    bob = swarm.agent(NAME)
    (nudge,) = await bob.intend("restart the billing service", arguments={"region": "us-east-1"})

    assert (nudge.kind, nudge.evidence[0].id) == (NudgeKind.CONTRADICTION, known.id)
    assert await bob.intend("restart the billing service in eu-west-1") == ()


async def test_a_nudge_is_not_repeated_until_it_was_acted_on(swarm: Swarm) -> None:
    """An agent hears it once within the cool-down, others too, and again after it gave way."""
    text = "deploying billing failed: migration 42 locks the orders table"
    await swarm.agent("ada").remember(text, layer="episodic", outcome="failure", ack="searchable")
    bob, intent = swarm.agent(NAME), "deploy billing with migration 42 on the orders table"
    (nudge,) = await bob.intend(intent)

    assert await bob.intend(intent) == ()
    assert [nudge] == list(await bob.intend(intent, repeat=True))
    assert [nudge.id] != [other.id for other in await swarm.agent("eve").intend(intent)] != []
    assert (await bob.feedback(nudge.id, "acted_on")).new
    assert [nudge.id] == [again.id for again in await bob.intend(intent)]


async def test_feedback_weighs_what_it_is_about(
    swarm: Swarm, speaking: Callable[[str], Swarm]
) -> None:
    """Counted once a voice; a failure that several call useless falls silent for all."""
    text = "deploying billing failed: migration 42 locks the orders table"
    failure = await swarm.agent("ada").remember(
        text, layer="episodic", outcome="failure", ack="searchable"
    )
    intent = "deploy billing with migration 42 on the orders table"
    (plain,) = await swarm.agent("bob").intend(intent)
    receipt = await swarm.agent("bob").feedback(plain.id, "useful")
    (weighed,) = await swarm.agent("eve").intend(intent)

    assert (receipt.id, receipt.new) == (plain.id, True)
    assert weighed.score == pytest.approx(1.05 * plain.score)
    assert not (await swarm.agent("bob").feedback(str(plain.id), "not_useful")).new
    for name in ("eve", NAME):
        voice = speaking(name).agent(name)
        assert (await voice.feedback(failure.id, "not_useful")).new
    assert await swarm.agent("mallory").intend(intent) == ()
    with pytest.raises(NotFound):
        await swarm.agent("bob").feedback(UUID(int=7), "useful")


BAD: dict[str, Any] = {
    "content": lambda s: s.agent("a").remember("a\x00"),
    "layer": lambda s: s.agent("a").remember("x", layer="rag"),
    "recipe": lambda s: s.agent("a").recall("x", recipe="magic"),
    "k": lambda s: s.agent("a").recall("x", k=0),
    "key": lambda s: s.agent("a").note("$intent", 1),
    "value": lambda s: s.agent("a").note("k", "\x00"),
    "version": lambda s: s.agent("a").note("k", 1, expected_version=-1),
    "budget": lambda s: s.agent("a").context(0),
    "verdict": lambda s: s.agent("a").feedback(UUID(int=7), "great"),
    "nudge": lambda s: s.agent("a").feedback("x", "useful"),
    "limit": lambda s: s.board("b").read(limit=0),
    "kind of a board": lambda s: s.board("b").post("x", author="a", kind="task"),
    "kind of a scratchpad": lambda s: s.agent("a").scratchpad.post("x", kind="finding"),
    "public without key": lambda s: s.board("b").post("x", author="a", kind="public"),
    "version of a finding": lambda s: s.board("b").post("x", author="a", expected_version=0),
    "agent": lambda s: s.agent(""),
    "board": lambda s: s.board("b" * 257),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_input_is_the_same_error(swarm: Swarm, what: str) -> None:
    """Whatever breaks the contract raises InvalidInput, on each wire."""
    with pytest.raises(InvalidInput):
        await BAD[what](swarm)


async def test_many_at_once_each_get_their_own(swarm: Swarm) -> None:
    """Verbs issued together return to their own callers, a refused one among them."""
    agents = [swarm.agent(f"agent/{n}") for n in range(20)]
    results = await asyncio.gather(
        *(agent.note("n", n) for n, agent in enumerate(agents)),
        agents[0].note("m", 1, expected_version=7),
        return_exceptions=True,
    )
    items = await asyncio.gather(*(agent.recollect("n") for agent in agents))

    assert [receipt.version for receipt in results[:-1]] == [1] * 20
    assert isinstance(results[-1], VersionConflict)
    assert list(range(20)) == [item.value for (item,) in items]


async def test_a_pickled_handle_is_the_same_agent(swarm: Swarm) -> None:
    """A handle that travelled writes where the first one did."""
    ada = swarm.agent(NAME)
    await ada.note("plan", 1)
    copy = pickle.loads(pickle.dumps(ada))
    receipt = await copy.note("plan", 2, expected_version=1)
    await copy.swarm.aclose()

    assert receipt.version == 2
    assert [item.value for item in await ada.recollect("plan")] == [2]
