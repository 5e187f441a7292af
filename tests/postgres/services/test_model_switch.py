"""A switch under way, without Ray: an Indexer, a Recaller's search and a gateway's, as they run."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pinak_ray.actors.indexer import Indexer
from pinak_ray.cli.models.trial import add_candidate, status_named
from pinak_ray.embedding import EmbedderSpec
from pinak_ray.records.errors import WrongDimension
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.operations import Recall
from pinak_ray.records.topology import Placement, Topology
from pinak_ray.serve.gateway import GatewayBackend
from pinak_ray.services.config import StackConfig
from pinak_ray.services.search import SearchParts
from pinak_ray.services.serving import Following
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import not_searchable
from pinak_ray.store.models.recorded_queries import recorded_queries
from pinak_ray.store.models.serving_model import roll_back, switch_to
from pinak_ray.store.namespaces import ensure_namespace
from tests.support.remembered import remember
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

OTHER = EmbedderSpec(kind="hashing", dimension=32)


@pytest.fixture
def config(dsn: str) -> StackConfig:
    """A small stack that embeds by hashing, into 64 numbers, and records every query."""
    spec = EmbedderSpec(kind="hashing", dimension=64)
    return StackConfig(dsn, spec, window_quiet_s=0.1, record_queries=1.0)


@pytest.fixture
async def indexer(config: StackConfig, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Indexer]:
    """An Indexer at work in this process, whose priority it leaves as it is."""
    monkeypatch.setattr("pinak_ray.actors.indexer._yield_to_others", lambda: None)
    indexer = Indexer(config)
    await indexer.ping()
    yield indexer
    await indexer.drain()


@pytest.fixture
async def search(config: StackConfig) -> AsyncIterator[Following[SearchParts]]:
    """What a Recaller answers with."""
    parts = Following(lambda: SearchParts.open(config, name="test"))
    yield parts
    await parts.aclose()


async def test_all_parts_follow_a_switch_and_back(
    database: Database, config: StackConfig, indexer: Indexer, search: Following[SearchParts]
) -> None:
    """`searchable` is kept throughout, and recall answers from the model that serves."""
    async with database.service() as connection:
        namespace_id = await ensure_namespace(connection, NamespaceKey("acme", "shop"))

    async def say(text: str) -> tuple[int, object]:
        key = namespace_id, await remember(database, namespace_id, text, session="s")
        await indexer.searchable([key])
        return key

    async def ask(query: str) -> list[str]:
        request = RecallRequest(query, recipe="dense")
        result = await (await search.get()).recall(Recall(namespace_id, request))
        return [hit.content for hit in result.hits]

    first = (await search.get()).model
    await say("the red fox jumps")
    second = await add_candidate(database, config, OTHER)

    async def is_filled() -> bool:
        return not (await status_named(database, "hashing:32")).coverage.is_behind

    await say("while it is filled")
    await until(is_filled, what="the back-fill")
    assert "the red fox jumps" in await ask("red fox")
    await switch_to(database, second.id)
    await until(lambda: search.opened and search.opened.model == second, what="the search follows")

    async def is_second() -> bool:
        return bool((await indexer.ping())["model_id"] == second.id)

    await until(is_second, what="the Indexer follows")
    later = await say("a blue whale dives")
    assert not await not_searchable(database, {later}, model_id=second.id)
    assert "a blue whale dives" in await ask("a blue whale dives deep")
    assert "the red fox jumps" in await ask("the red fox jumps high")
    with pytest.raises(WrongDimension):
        await (await search.get()).recall(
            Recall(namespace_id, RecallRequest("x", vector=b"\x00\x40\x00\x00" + b"\x3c\x00" * 64))
        )

    async def is_kept() -> bool:
        return not await not_searchable(database, {later}, model_id=first.id)

    await until(is_kept, what="the previous model gets its vector too")
    await roll_back(database)
    await until(lambda: search.opened and search.opened.model == first, what="the way back")
    assert "a blue whale dives" in await ask("blue whale")
    await say("all is as before")

    async def recorded() -> bool:
        found = await recorded_queries(database, limit=10)
        return (namespace_id, "blue whale") in found

    await until(recorded, what="the queries are recorded")


async def test_a_wait_outlives_a_switch(
    database: Database, config: StackConfig, indexer: Indexer
) -> None:
    """Who waits for `searchable` in the middle of a switch hears of the new model's vector."""
    second = await add_candidate(database, config, OTHER)
    keys = [(7, await remember(database, 7, f"text {number}")) for number in range(40)]
    waits = asyncio.gather(*(indexer.searchable([key], 60.0) for key in keys))
    await switch_to(database, second.id, force=True)
    late = [(7, await remember(database, 7, f"late {number}")) for number in range(40)]
    await asyncio.gather(waits, *(indexer.searchable([key], 60.0) for key in late))

    async def all_there() -> bool:
        return not await not_searchable(database, {*keys, *late}, model_id=second.id)

    await until(all_there, what="every memory has the new model's vector")


async def test_a_gateway_follows(database: Database, config: StackConfig) -> None:
    """What it checks callers' vectors by, and names in its figures, is the serving model's."""
    search = await SearchParts.open(config, name="test")
    await search.aclose()
    topology = Topology(Placement(1, ("host-0",)), ("writer-0",), (), (), None)
    backend = GatewayBackend(config, topology, search.model)
    try:
        await backend.transport.search.get()
        before = backend.dimension
        model = await add_candidate(database, config, OTHER)
        await switch_to(database, model.id, force=True)
        await until(lambda: backend.dimension == 32, what="the gateway follows")
        told = (await backend.stats(1))["model"]

        assert before == 64
        assert told == {"name": "hashing", "dimension": 32}
        assert backend.transport.ray_transport.model == model
    finally:
        await backend.transport.aclose()
