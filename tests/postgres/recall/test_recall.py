"""Recall on a real PostgreSQL, under row-level security."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.recall.candidates import Search
from pinak_ray.recall.recaller import Recaller
from pinak_ray.recall.recipes import RECIPES
from pinak_ray.records.errors import InvalidInput, WrongDimension
from pinak_ray.records.memory.memories import Layer, Outcome
from pinak_ray.records.memory.recall import Hit, new_recall
from pinak_ray.records.memory.revisions import new_revision
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.revisions import forget_memory, revise_memory
from pinak_ray.store.queries import query
from tests.support.indexed import encode
from tests.support.remembered import DIMENSION, EMBEDDER, expire, index_all, register, remember
from tests.support.settling import settle_some

pytestmark = pytest.mark.postgres

NS = 7
DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database)


@pytest.fixture
async def recaller(database: Database, model_id: int) -> Recaller:
    """A Recaller over the test's database."""
    return Recaller(database, EMBEDDER, model_id)


async def ask(recaller: Recaller, query: str, **options: Any) -> tuple[Hit, ...]:
    """Recall in the test's namespace."""
    return (await recaller.recall(NS, new_recall(query, **options))).hits


async def settle_all(database: Database, model_id: int) -> None:
    """Note every session and write its windows."""
    async with database.service() as connection:
        rows = await connection.fetch("SELECT namespace_id, id FROM memories")
        await connection.execute(
            query("indexing", "note_sessions"),
            [row["namespace_id"] for row in rows],
            [row["id"] for row in rows],
        )
    while await settle_some(database, encode, model_id=model_id, quiet_s=0.0):
        pass


async def ids(recaller: Recaller, query: str, **options: Any) -> set[UUID]:
    """Return the ids that a recall finds."""
    return {hit.id for hit in await ask(recaller, query, **options)}


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name not in ("recent", "exact")])
async def test_the_best_match_comes_first(
    database: Database, recaller: Recaller, model_id: int, recipe: str
) -> None:
    """Every recipe by content ranks the memory that says it above those that share a word."""
    await remember(database, NS, "the canary rollout was paused for lunch")
    wanted = await remember(database, NS, "migration 42 locks the orders table during a rollout")
    await remember(database, NS, "lunch menu: soup")
    await index_all(database, model_id)
    hits = await ask(recaller, "which migration locks the orders table?", recipe=recipe)
    assert hits[0].id == wanted
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_a_hit_carries_the_memory(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """Every stored field comes back as it was given."""
    details = {"ticket": "OPS-1", "n": [1, 2]}
    stored = await remember(
        database, NS, "disk full", agent="bob", layer="episodic", session="s1", details=details,
        tags=("disk", "prod"), outcome="failure", occurred_at=DAY,
    )  # fmt: skip
    await index_all(database, model_id)
    (hit,) = await ask(recaller, "disk")
    assert (hit.id, hit.content, hit.agent, hit.session) == (stored, "disk full", "bob", "s1")
    assert (hit.layer, hit.outcome, hit.tags) == (Layer.EPISODIC, Outcome.FAILURE, ("disk", "prod"))
    assert (hit.occurred_at, hit.details, hit.signals) == (DAY, details, ())


@pytest.mark.parametrize("recipe", ["default", "rrf", "lexical"])
async def test_a_memory_is_found_by_its_words_before_it_is_indexed(
    database: Database, recaller: Recaller, recipe: str
) -> None:
    """Durable means keyword-searchable: neither vectors nor statistics are needed."""
    stored = await remember(database, NS, "the gateway certificate expires in May")
    assert await ids(recaller, "certificate", recipe=recipe) == {stored}


async def test_late_memories_are_found_beside_indexed_ones(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """A word that the statistics do not know yet counts as rare."""
    await remember(database, NS, "an old note on gateways")
    await index_all(database, model_id)
    late = await remember(database, NS, "gateways need a zymurgy flag")
    assert (await ask(recaller, "gateways zymurgy"))[0].id == late


async def test_dense_alone_finds_nothing_without_vectors(
    database: Database, recaller: Recaller
) -> None:
    """The dense recipe on unindexed memories is silent, not an error."""
    await remember(database, NS, "the gateway certificate expires in May")
    assert await ask(recaller, "certificate", recipe="dense") == ()


async def test_nothing_without_evidence_is_returned(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """A memory that shares neither word nor direction with the query stays away."""
    await remember(database, NS, "quarterly numbers")
    await index_all(database, model_id)
    opposite = -(await EMBEDDER.embed(["quarterly numbers"]))[0]
    assert await ask(recaller, "xyzzy", vector=encode_halfvec_one(opposite)) == ()


@pytest.mark.parametrize("recipe", RECIPES)
async def test_dead_memories_never_come_back(
    database: Database, recaller: Recaller, model_id: int, recipe: str
) -> None:
    """Neither expired nor superseded memories answer, though they match best."""
    living = await remember(database, NS, "restart the payment service with care, it is slow")
    gone = await remember(database, NS, "restart the payment service")
    revised = await remember(database, NS, "restart the payment service")
    await index_all(database, model_id)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = $1 WHERE id = $2", living, revised
        )
    await expire(database, gone)
    assert await ids(recaller, "restart the payment service", recipe=recipe) == {living}


async def test_many_dead_neighbours_do_not_hide_a_living_one(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """The exact scan goes on until it has met enough living memories."""
    for _ in range(210):
        await remember(database, NS, "restart payment")
    living = await remember(database, NS, "restart payment slowly by hand")
    await index_all(database, model_id)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = id WHERE id <> $1", living
        )
    assert await ids(recaller, "restart payment", recipe="dense") == {living}


@pytest.mark.parametrize(
    "filters",
    [
        {"layers": ["episodic"]},
        {"agents": ["bob"]},
        {"sessions": ["s1"]},
        {"tags": ["prod", "disk"]},
        {"outcome": "failure"},
        {"since": DAY},
        {"until": DAY + timedelta(days=1), "since": DAY},
        {"layers": ["episodic"], "agents": ["bob", "eve"], "tags": ["disk"], "since": DAY},
    ],
    ids="+".join,
)
async def test_filters_hold_for_every_signal(
    database: Database, recaller: Recaller, model_id: int, filters: dict[str, Any]
) -> None:
    """Only memories that pass all filters answer."""
    await remember(
        database, NS, "disk full on node", layer="semantic", session="s0", tags=("prod",),
        outcome="success", occurred_at=DAY - timedelta(seconds=1),
    )  # fmt: skip
    wanted = await remember(
        database, NS, "disk full on node", agent="bob", layer="episodic", session="s1",
        tags=("disk", "prod", "x"), outcome="failure", occurred_at=DAY,
    )  # fmt: skip
    await index_all(database, model_id)
    for recipe in RECIPES:
        assert await ids(recaller, "disk full", recipe=recipe, **filters) == {wanted}


async def test_until_is_exclusive(database: Database, recaller: Recaller) -> None:
    """A memory at the very end of the range is outside."""
    await remember(database, NS, "disk full", occurred_at=DAY)
    assert await ask(recaller, "disk", until=DAY) == ()


async def test_no_namespace_sees_another(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """The same words in another namespace do not answer."""
    await remember(database, NS + 1, "the secret of the other tenant")
    own = await remember(database, NS, "our own secret")
    await index_all(database, model_id)
    for recipe in RECIPES:
        assert await ids(recaller, "secret", recipe=recipe) == {own}


async def test_the_named_agent_is_preferred(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """Of two equal memories, the one of the agent whom the query names comes first."""
    await remember(database, NS, "I painted the lake", agent="Melanie", session="s")
    wanted = await remember(database, NS, "I painted the lake", agent="Caroline", session="s")
    await index_all(database, model_id)
    assert (await ask(recaller, "when did caroline paint the lake?"))[0].id == wanted


async def test_a_trace_explains_every_hit(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """Signals with score and rank, weights, candidate counts and timings are all there."""
    await remember(database, NS, "alpha beta")
    await remember(database, NS, "alpha gamma")
    await index_all(database, model_id)
    result = await recaller.recall(NS, new_recall("alpha beta", trace=True))
    assert result.trace is not None
    assert result.trace.weights == RECIPES["default"].signal_weights()
    assert result.trace.candidates == {
        "dense": 2, "lexical": 2, "window_dense": 0, "window_lexical": 0,
    }  # fmt: skip
    assert set(result.trace.timings_ms) == {"words", "embed", "sql", "fuse"}
    best = {signal.name: signal for signal in result.hits[0].signals}
    assert (best["dense"].rank, best["lexical"].rank) == (1, 1)
    assert best["lexical"].score is not None
    assert best["lexical"].score > 0


async def test_a_given_vector_is_used_instead_of_embedding(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """The caller's vector decides, whatever the words say."""
    await remember(database, NS, "apples")
    wanted = await remember(database, NS, "pears")
    await index_all(database, model_id)
    vector = encode_halfvec_one((await EMBEDDER.embed(["pears"]))[0])
    hits = await ask(recaller, "apples", recipe="dense", vector=vector)
    assert hits[0].id == wanted


async def test_a_foreign_vector_is_refused(recaller: Recaller) -> None:
    """A vector of another dimension is an error of the caller in every recipe."""
    vector = encode_halfvec_one(np.ones(DIMENSION + 1, dtype=np.float32))
    for recipe in RECIPES:
        with pytest.raises(WrongDimension):
            await ask(recaller, "x", recipe=recipe, vector=vector)


async def test_unknown_recipes_are_refused(recaller: Recaller) -> None:
    """The error names the choices."""
    with pytest.raises(InvalidInput, match="default, rrf, lexical, dense"):
        await ask(recaller, "x", recipe="magic")


async def test_min_score_cuts(database: Database, recaller: Recaller, model_id: int) -> None:
    """A caller's floor applies to the fused score."""
    await remember(database, NS, "alpha beta gamma")
    await remember(database, NS, "alpha delta epsilon")
    await index_all(database, model_id)
    every = await ask(recaller, "alpha beta gamma", recipe="lexical")
    kept = await ask(recaller, "alpha beta gamma", recipe="lexical", min_score=every[0].score)
    assert [hit.id for hit in kept] == [every[0].id]


async def test_no_query_breaks_the_sql(database: Database, recaller: Recaller) -> None:
    """Quotes, operators, placeholders and mere stop words are text."""
    odd = ["'", "\\", "a'b \\ | & ! ( ) :* <->", "%s %L $1 {}", "the of and", "c:\\x\\y'z", "🦜"]
    for text in odd:
        await remember(database, NS, f"noise {text} noise")
        for recipe in RECIPES:
            await ask(recaller, text, recipe=recipe)


async def test_a_long_query_is_answered(database: Database, recaller: Recaller) -> None:
    """Thousands of words cost no stack and find what a few of them would."""
    wanted = await remember(database, NS, "word7 word8 word9")
    words = " ".join(f"word{n}" for n in range(900))
    assert await ids(recaller, "word7 word8", recipe="lexical") == {wanted}
    await ask(recaller, words, recipe="lexical")


async def test_k_bounds_the_hits(database: Database, recaller: Recaller) -> None:
    """At most k hits come back, also when more than the usual candidates are wanted."""
    for number in range(70):
        await remember(database, NS, f"alpha {number}")
    assert len(await ask(recaller, "alpha", k=3)) == 3
    assert len(await ask(recaller, "alpha", k=65)) == 65


async def test_a_memory_is_found_by_what_was_said_around_it(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """The answer shares no word with the question; the entry before it does."""
    await remember(database, NS, "how shall we call the puppy?", session="s")
    answer = await remember(database, NS, "Biscuit!", session="s", agent="bob")
    await remember(database, NS, "Biscuit!", agent="bob")
    await index_all(database, model_id)
    before = await ids(recaller, "call puppy")
    await settle_all(database, model_id)
    hits = await ask(recaller, "call puppy", trace=True)

    assert answer not in before
    assert [hit.id for hit in hits][1:] == [answer]
    signals = {signal.name: signal.score for signal in hits[1].signals}
    assert signals["lexical"] is None
    assert signals["window_lexical"] > 0


async def test_windows_pass_the_same_filters(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """What was said around it does not bring in whom the filter leaves out."""
    await remember(database, NS, "how shall we call the puppy?", session="s", agent="ada")
    answer = await remember(database, NS, "Biscuit!", session="s", agent="bob")
    await index_all(database, model_id)
    await settle_all(database, model_id)

    assert await ids(recaller, "call puppy", agents=["bob"]) == {answer}
    assert await ids(recaller, "call puppy", sessions=["t"]) == set()


async def test_a_date_in_the_query_prefers_its_memories(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """Of two memories that say the same, the one of the named month comes first."""
    times = [datetime(2023, 4, 9, tzinfo=UTC), datetime(2023, 5, 8, tzinfo=UTC)]
    april, may = [
        await remember(database, NS, "we went hiking", occurred_at=moment) for moment in times
    ]
    await index_all(database, model_id)

    assert (await ask(recaller, "when did we go hiking in May 2023?"))[0].id == may
    assert (await ask(recaller, "when did we go hiking in April?"))[0].id == april


async def test_what_is_forgotten_or_revised_between_two_statements(
    database: Database, model_id: int
) -> None:
    """The forgotten is not returned; of the revised there is one version: the old, or the new."""
    gone = await remember(database, NS, "zebra crossing closed")
    old = await remember(database, NS, "zebra market open")
    await index_all(database, model_id)
    request = new_recall("zebra", recipe="rrf")
    vector = encode_halfvec_one((await EMBEDDER.embed(["zebra"]))[0])
    search = Search(database, NS, model_id, request, RECIPES["rrf"])

    async def recalled() -> set[UUID]:
        return {row["id"] for row in (await search.candidates(vector, words)).rows}

    words = asyncio.create_task(search.words())
    await words
    await forget_memory(database, NS, gone)
    revision = new_revision(NS, "bob", old, "zebra market closed")
    await revise_memory(database, revision, model_id=0)
    assert await recalled() == {old}  # the new one has no vector yet
    await index_all(database, model_id)
    assert await recalled() == {revision.memory.id}


async def test_more_recalls_than_connections(database: Database, model_id: int) -> None:
    """No recall holds a connection while it waits for another: all are answered."""
    for n in range(40):
        await remember(database, NS, f"zebra {n} crosses the road {n % 7}")
    await index_all(database, model_id)
    recaller = Recaller(database, EMBEDDER, model_id)
    asked = [ask(recaller, f"which zebra crosses road {n}?") for n in range(60)]
    # Who waits in vain for a connection hears Unavailable, which would be raised here.
    assert all(await asyncio.gather(*asked))


async def test_a_long_run_is_searched_by_the_words_in_it(
    database: Database, recaller: Recaller, model_id: int
) -> None:
    """A query of 8 KiB without a blank is answered: by its words, as the same ones with blanks."""
    wanted = await remember(database, NS, "the quota_of_orders is full")
    await index_all(database, model_id)
    run = "_".join(["quota", "full"] * 700)
    for recipe in ("default", "lexical"):
        assert [hit.id for hit in await ask(recaller, run, recipe=recipe)] == [wanted]
