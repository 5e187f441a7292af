"""The Indexer and a real endpoint: limits, refusals, a key that was revoked; nothing is lost."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi.responses import JSONResponse

from pinak_ray.actors.indexer import Indexer
from pinak_ray.embedding import EmbedderSpec, EndpointOptions
from pinak_ray.records.errors import NotSearchable, Unavailable
from pinak_ray.records.memory.memories import Memory, new_memory
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.records.operations import Recall
from pinak_ray.services.config import StackConfig
from pinak_ray.services.search import SearchParts
from pinak_ray.store.database import Database
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from tests.support.endpoint import Endpoint, vectors_for
from tests.support.indexed import fetch
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

VECTORS = "SELECT memory_id FROM pinak.memory_vectors WHERE kind = 0"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Run an endpoint for the test."""
    started = Endpoint()
    started.thread.start()
    yield started
    started.stop()


@pytest.fixture
def config(dsn: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> StackConfig:
    """A stack's configuration; the process of the tests keeps its priority."""
    monkeypatch.setattr("pinak_ray.actors.indexer._yield_to_others", lambda: None)
    monkeypatch.setattr("pinak_ray.embedding.endpoint.breaker._FIRST_PAUSE_S", 0.05)
    options = EndpointOptions(timeout_s=20.0, query_timeout_s=20.0)
    spec = EmbedderSpec(
        kind="openai", url=endpoint.url, model="tiny", dimension=2, endpoint=options
    )
    return StackConfig(dsn=dsn, embedder=spec, auto_links=False)


@pytest.fixture
async def indexer(config: StackConfig) -> AsyncIterator[Indexer]:
    """An Indexer at work."""
    started = Indexer(config)
    await started.ping()
    yield started
    await started.drain()


async def commit(database: Database, *contents: str, namespace_id: int = 7) -> list[Memory]:
    """Commit memories as one batch."""
    memories = [new_memory(namespace_id, "ada", content) for content in contents]
    assert not await commit_memories(database, [encode_memory(memory) for memory in memories])
    return memories


async def embedded(database: Database, count: int) -> bool:
    """Tell whether so many memories have their vector."""
    return len(await fetch(database, VECTORS)) == count


async def test_a_small_endpoint_embeds_all(
    database: Database, endpoint: Endpoint, indexer: Indexer
) -> None:
    """Seven texts a request are too few for a batch, and nobody's fault."""
    endpoint.answer = lambda body, call: (
        JSONResponse({"detail": "too many"}, 422)
        if len(body["input"]) > 7
        else vectors_for(body["input"])
    )
    await commit(database, *(f"note {number}" for number in range(100)))
    await indexer.wake()
    await until(lambda: embedded(database, 100), what="all have vectors")

    assert (await indexer.ping())["set_aside"] == 0


async def test_a_refused_text_says_so_to_who_waits(
    database: Database, endpoint: Endpoint, indexer: Indexer
) -> None:
    """And only to that one: its neighbours are searchable."""
    endpoint.answer = lambda body, call: (
        JSONResponse({"error": {"message": "the input is too long"}}, 400)
        if any(len(text) > 100 for text in body["input"])
        else vectors_for(body["input"])
    )
    memories = await commit(database, "one", "two " * 100, "three")
    keys = [(memory.namespace_id, memory.id) for memory in memories]
    fates = await indexer.searchable(keys, timeout_s=120.0)
    told = await indexer.ping()

    assert fates.keys() == {1}
    assert isinstance(fates[1], NotSearchable)
    assert "too long" in str(fates[1])
    assert (told["set_aside"], told["queue_depth"]) == (1, 0)
    assert "embedding_error" not in told


async def test_a_revoked_key_is_told_of_and_loses_nothing(
    database: Database, endpoint: Endpoint, indexer: Indexer
) -> None:
    """Who waits hears the cause, nothing is set aside, and all is made good by itself."""
    endpoint.answer = lambda body, call: JSONResponse({"message": "no such key"}, 401)
    (memory,) = await commit(database, "one")
    fates = await indexer.searchable([(7, memory.id)], timeout_s=3.0)
    told = await indexer.ping()
    endpoint.answer = lambda body, call: vectors_for(body["input"])
    await until(lambda: embedded(database, 1), what="it has its vector")

    assert isinstance(fates[0], Unavailable)
    assert "HTTP 401 no such key" in str(fates[0])
    assert "HTTP 401" in told["embedding_error"]
    assert told["set_aside"] == 0


async def test_the_search_answers_while_the_endpoint_is_down(
    database: Database, endpoint: Endpoint, indexer: Indexer, config: StackConfig
) -> None:
    """Words answer, and say why they are alone."""
    memories = await commit(database, "orders are locked")
    assert not await indexer.searchable([(7, memories[0].id)], timeout_s=120.0)
    parts = await SearchParts.open(config, name="test")
    try:
        whole = await parts.recall(Recall(7, new_recall("orders")))
        endpoint.answer = lambda body, call: JSONResponse({"message": "busy"}, 503)
        by_words = await parts.recall(Recall(7, new_recall("locked orders")))
    finally:
        await parts.aclose()

    def ids(result: Any) -> list[Any]:
        return [hit.id for hit in result.hits]

    assert ids(whole) == ids(by_words) == [memories[0].id]
    assert whole.degraded is None
    assert "HTTP 503 busy" in (by_words.degraded or "")
