"""Recall by way of the cache on a real PostgreSQL: what was written is found by the next recall."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinak_ray.concurrency.admission import Admission
from pinak_ray.embedding import EmbeddingModel, Vectors, encode_halfvec_one
from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.recall.cache.recaller import CachedRecaller
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.errors import InvalidInput, Overloaded, WrongDimension
from pinak_ray.records.memory.recall import RecallResult, new_recall
from pinak_ray.store.database import Database
from pinak_ray.store.vectors.generations import Generations
from tests.support.remembered import DIMENSION, EMBEDDER, index_all, register, remember
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

ENDS_IN = """
UPDATE pinak.memories SET expires_at = clock_timestamp() + $1 * interval '1 s'
WHERE content = 'orders are locked'
"""

NS = 7
OTHER = 8


class Counting:
    """The hashing embedder, counting the texts, and kept waiting on demand."""

    def __init__(self) -> None:
        self.texts = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    @property
    def model(self) -> EmbeddingModel:
        """The hashing model."""
        return EMBEDDER.model

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed by hashing."""
        self.texts += len(texts)
        await self.go_on.wait()
        return await EMBEDDER.embed(texts)

    def knows(self, text: str) -> bool:
        """Know what hashing knows."""
        return EMBEDDER.knows(text)

    async def aclose(self) -> None:
        """Nothing is held."""


class Asker:
    """A cached recaller of the test's namespace, and what it cost."""

    def __init__(self, database: Database, model_id: int, **policy: Any) -> None:
        self.embedder = Counting()
        self.admission = Admission("the search", at_once=4, in_line=4)
        self.recaller = Recaller(database, self.embedder, model_id)
        self.cached = CachedRecaller(
            self.recaller, Generations(database), CachePolicy(**policy), self.admission
        )

    async def __call__(self, query: str, namespace_id: int = NS, **options: Any) -> RecallResult:
        """Recall."""
        return await self.cached.recall(namespace_id, new_recall(query, **options))

    @property
    def lookups(self) -> dict[str, int]:
        """What answered so far, without what never did."""
        counts = self.cached.figures()["lookups"]
        return {name: count for name, count in counts.items() if count}


@pytest.fixture
async def model_id(database: Database) -> int:
    """The registered hashing model."""
    return await register(database, DIMENSION)


@pytest.fixture
def ask(database: Database, model_id: int) -> Asker:
    """An asker with an empty cache."""
    return Asker(database, model_id)


def contents(result: RecallResult) -> list[str]:
    """Return what was found."""
    return [hit.content for hit in result.hits]


async def test_a_repeated_recall_is_answered_without_a_search(
    database: Database, model_id: int, ask: Asker
) -> None:
    """Equal and near queries cost one search, with the result that a search would give."""
    await remember(database, NS, "migration 42 locks orders", details={"ticket": {"n": 1}})
    await index_all(database, model_id)
    first = await ask("which migration locks orders")
    assert await ask("which migration locks orders") == first
    assert ask.embedder.texts == 1
    assert await ask("Please tell me which migration locks orders?") == first
    assert ask.embedder.texts == 1
    assert ask.lookups == {"miss": 1, "equal": 1, "near": 1}
    assert first == await ask.recaller.recall(NS, new_recall("which migration locks orders"))


async def test_what_was_written_is_found_by_the_next_recall(
    database: Database, model_id: int, ask: Asker
) -> None:
    """A memory, its vector and its end are all seen by who asks after the commit."""
    assert contents(await ask("orders")) == []
    await remember(database, NS, "orders are locked")
    assert contents(await ask("orders")) == ["orders are locked"]
    assert contents(await ask("orders", recipe="dense")) == []
    await index_all(database, model_id)
    assert contents(await ask("orders", recipe="dense")) == ["orders are locked"]
    async with database.service() as connection:
        await connection.execute("DELETE FROM pinak.memories")
    assert contents(await ask("orders")) == []
    assert ask.lookups == {"miss": 5}


async def test_an_answer_ends_with_the_first_that_bore_on_it(
    database: Database, model_id: int, ask: Asker
) -> None:
    """When a memory expires no write tells of it: answers it bears on are kept no longer."""
    await remember(database, NS, "orders are locked")
    await remember(database, NS, "orders are open")
    await index_all(database, model_id)
    expired = "SELECT expires_at <= now() FROM pinak.memories WHERE expires_at IS NOT NULL"
    async with database.service() as connection, asyncio.timeout(120):
        # On a machine that is too slow for one second the answer is asked for with more of them.
        for seconds in itertools.count(1):
            await connection.execute(ENDS_IN, seconds)
            if len((await ask("orders")).hits) == 2:
                break
        while not await connection.fetchval(expired):
            assert len((await ask("orders")).hits) in (1, 2)
    assert contents(await ask("orders")) == ["orders are open"]
    assert ask.cached.figures()["drops"]["expired"] >= 1
    # What was believed then holds for ever.
    async with database.service() as connection:
        then = await connection.fetchval("SELECT max(created_at) FROM pinak.memories")
    for _ in range(2):
        assert len((await ask("orders", as_of=then + timedelta(microseconds=1))).hits) == 2
    assert ask.lookups["equal"] >= 1


async def test_no_namespace_is_answered_from_another(
    database: Database, model_id: int, ask: Asker
) -> None:
    """The same words in two namespaces are two answers."""
    for namespace_id in (NS, OTHER):
        await remember(database, namespace_id, f"orders of {namespace_id}")
    await index_all(database, model_id)
    for _ in range(2):
        for namespace_id in (NS, OTHER):
            assert contents(await ask("orders", namespace_id)) == [f"orders of {namespace_id}"]
    assert ask.lookups == {"miss": 2, "equal": 2}


async def test_callers_cannot_change_what_others_get(
    database: Database, model_id: int, ask: Asker
) -> None:
    """Details are the one thing of a hit that can be changed: each caller has their own."""
    await remember(database, NS, "orders are locked", details={"tickets": [1]})
    await index_all(database, model_id)
    for _ in range(3):
        (hit,) = (await ask("orders")).hits
        assert hit.details == {"tickets": [1]}
        hit.details["tickets"].append(2)


async def test_equal_recalls_at_once_share_a_search(
    database: Database, model_id: int, ask: Asker
) -> None:
    """More callers than may search at once are all served, and one leaving takes none along."""
    await remember(database, NS, "orders are locked")
    await index_all(database, model_id)
    ask.embedder.go_on.clear()
    callers = [asyncio.create_task(ask("orders")) for _ in range(20)]
    await until(lambda: ask.lookups.get("shared") == 19, what="all wait for one search")
    callers[0].cancel()
    ask.embedder.go_on.set()
    found = await asyncio.gather(*callers[1:])
    assert [contents(each) for each in found] == [["orders are locked"]] * 19
    assert (ask.embedder.texts, ask.lookups) == (1, {"miss": 1, "shared": 19})


async def test_who_asks_after_a_write_does_not_share_what_began_before(
    database: Database, model_id: int, ask: Asker
) -> None:
    """A search under way is shared only by those for whom nothing was written in between."""
    ask.embedder.go_on.clear()
    early = asyncio.create_task(ask("orders"))
    await until(lambda: ask.embedder.texts == 1, what="a search is under way")
    await remember(database, NS, "orders are locked")
    late = asyncio.create_task(ask("orders"))
    await until(lambda: ask.embedder.texts == 2, what="another search is under way")
    ask.embedder.go_on.set()
    assert contents(await late) == ["orders are locked"]
    await early
    assert contents(await ask("orders")) == ["orders are locked"]
    assert "shared" not in ask.lookups


async def test_a_crowd_of_different_recalls_is_refused(ask: Asker) -> None:
    """What has to be searched for waits in the short line of searches, as without a cache."""
    ask.embedder.go_on.clear()
    callers = [asyncio.create_task(ask(f"orders {number}")) for number in range(20)]
    done, _ = await asyncio.wait(callers, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    assert isinstance(done.pop().exception(), Overloaded)
    ask.embedder.go_on.set()
    await asyncio.gather(*callers, return_exceptions=True)


async def test_errors_are_told_and_not_kept(database: Database, ask: Asker) -> None:
    """A bad request fails each time; the next good one is served."""
    for _ in range(2):
        with pytest.raises(InvalidInput, match="recipe"):
            await ask("orders", recipe="nonsense")
        with pytest.raises(WrongDimension):
            await ask("orders", vector=b"\0\1\0\0\x3c\0")
    await remember(database, NS, "orders are locked")
    assert contents(await ask("orders")) == ["orders are locked"]
    assert ask.cached.figures()["entries"] == 1


@pytest.mark.parametrize(
    ("policy", "options"),
    [({}, {"trace": True}), ({"enabled": False}, {})],
    ids=["a trace", "switched off"],
)
async def test_what_is_searched_for_each_time(
    database: Database, model_id: int, policy: dict[str, Any], options: dict[str, Any]
) -> None:
    """A trace tells of its own search; switched off, the cache holds and counts nothing."""
    ask = Asker(database, model_id, **policy)
    await remember(database, NS, "orders are locked")
    for _ in range(2):
        assert contents(await ask("orders", **options)) == ["orders are locked"]
    assert ask.embedder.texts == 2
    assert (ask.lookups, ask.cached.figures()["entries"]) == ({}, 0)


async def test_an_own_vector_is_not_near_to_anything(
    database: Database, model_id: int, ask: Asker
) -> None:
    """A caller's vector says nothing of the words beside it: only its equal is answered."""
    await remember(database, NS, "orders are locked")
    await index_all(database, model_id)
    vector = encode_halfvec_one((await EMBEDDER.embed(["orders"]))[0])
    for query in ("orders", "elephants", "elephants"):
        await ask(query, vector=vector)
    await ask("orders")
    assert ask.lookups == {"miss": 3, "equal": 1}


async def test_pages_of_a_cached_recall_follow_each_other(
    database: Database, model_id: int, ask: Asker
) -> None:
    """Page by page, from the cache or not, every hit comes once."""
    for number in range(7):
        await remember(database, NS, f"orders were locked {number} times")
    await index_all(database, model_id)
    for _ in range(2):
        page = await ask("orders", k=3)
        seen = [hit.id for hit in page.hits]
        while page.cursor is not None:
            page = await ask("orders", k=3, cursor=page.cursor)
            seen += [hit.id for hit in page.hits]
        assert len(seen) == len(set(seen)) == 7
    assert ask.lookups == {"miss": 3, "equal": 3}


QUERIES = ("orders locked", "locked orders", "red elephants", "canary rollout")
STEPS = st.lists(
    st.tuples(st.sampled_from(("write", "ask", "index")), st.sampled_from(QUERIES)),
    min_size=3,
    max_size=12,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_at_one_time_the_cache_answers_as_a_search_does(
    database: Database, model_id: int, steps: list[tuple[str, str]]
) -> None:
    """Any mix of writes, indexing and recalls gives fresh answers."""
    ask = Asker(database, model_id)
    for step, text in steps:
        match step:
            case "write":
                await remember(database, NS, f"{text} again")
            case "index":
                await index_all(database, model_id)
            case _:
                assert await ask(text) == await ask.recaller.recall(NS, new_recall(text))
