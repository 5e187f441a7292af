"""Who serves with a model follows a switch; what was asked is sampled; two models are compared."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pinak_ray.cli.models.trial import add_candidate, compare_models, queries_from, status_named
from pinak_ray.embedding import Embedder, EmbedderSpec
from pinak_ray.records.errors import InvalidInput, NotFound, SetupError
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.services.config import StackConfig
from pinak_ray.services.serving import Following, load_serving, load_spec
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.models.recorded_queries import QueryRecorder, recorded_queries
from pinak_ray.store.models.serving_model import roll_back, serving_id, switch_to
from pinak_ray.store.namespaces import ensure_namespace
from tests.support.endpoint import Endpoint
from tests.support.indexed import fetch
from tests.support.remembered import index_all, remember
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

NAMESPACE = 7
KEY = NamespaceKey("acme", "shop")
OTHER = EmbedderSpec(kind="hashing", dimension=32)


@dataclass
class Parts:
    """What answers with one model."""

    database: Database
    model: RegisteredModel
    embedder: Embedder
    closed: bool = False

    async def aclose(self) -> None:
        """Close, as parts do."""
        self.closed = True
        await self.embedder.aclose()


@pytest.fixture
def config(dsn: str) -> StackConfig:
    """A stack that is configured to embed by hashing, into 64 numbers."""
    return StackConfig(dsn, EmbedderSpec(kind="hashing", dimension=64))


@pytest.fixture
async def following(database: Database, config: StackConfig) -> AsyncIterator[Following[Parts]]:
    """Parts that follow the serving model."""

    async def opener() -> Parts:
        return Parts(database, *await load_serving(database, config))

    parts = Following(opener)
    yield parts
    await parts.aclose()


async def test_parts_follow_a_switch_and_a_rollback(
    database: Database, config: StackConfig, following: Following[Parts]
) -> None:
    """New parts take the place of the old ones, which stay open for who began with them."""
    first = await following.get()
    model = await add_candidate(database, config, OTHER)
    await switch_to(database, model.id, force=True)
    await until(lambda: following.opened is not first, what="the other model's parts")
    second = await following.get()
    await roll_back(database)
    await until(lambda: following.opened is not second, what="the first model's parts again")
    third = await following.get()
    dimensions = [parts.embedder.model.dimension for parts in (first, second, third)]

    assert dimensions == [64, 32, 64]
    assert (first.model, second.model) == (third.model, model)
    assert not first.closed
    await following.aclose()
    assert first.closed
    assert second.closed
    assert third.closed


async def test_a_model_that_does_not_load_changes_nothing(
    database: Database, config: StackConfig, following: Following[Parts]
) -> None:
    """Who serves goes on with the model that it has, and follows the next switch."""
    first = await following.get()
    broken = await add_candidate(database, config, OTHER)
    async with database.service() as connection:
        await connection.execute(
            'UPDATE pinak.embedding_models SET spec = \'{"kind": "openai"}\' WHERE id = $1',
            broken.id,
        )
    await switch_to(database, broken.id, force=True)
    with pytest.raises(SetupError):
        await load_serving(database, config)

    assert await following.get() is first


async def test_the_configured_model_serves_where_none_does(
    database: Database, config: StackConfig
) -> None:
    """An upgraded database adopts it; with another configuration it goes on serving."""
    adopted, _ = await load_serving(database, config)
    again, embedder = await load_serving(database, StackConfig(config.dsn, OTHER))

    assert adopted == again
    assert await serving_id(database) == adopted.id
    assert embedder.model.dimension == 64


@pytest.fixture
def endpoints() -> Iterator[list[Endpoint]]:
    """Run three endpoints."""
    started = [Endpoint() for _ in range(3)]
    for endpoint in started:
        endpoint.thread.start()
    yield started
    for endpoint in started:
        endpoint.stop()


async def test_a_key_goes_to_its_own_endpoint_only(
    config: StackConfig, endpoints: list[Endpoint]
) -> None:
    """The configured endpoint's key is never sent to another one."""
    configured, known, stranger = endpoints
    own = EmbedderSpec(kind="openai", url=configured.url, model="m", dimension=2, api_key="hush")
    stack = StackConfig(config.dsn, own, api_keys={known.url: "other"})
    for endpoint in endpoints:
        told = EmbedderSpec(kind="openai", url=endpoint.url, model="n", dimension=2)
        embedder = await load_spec(told, stack)
        await embedder.embed(["x"])
        await embedder.aclose()

    assert configured.keys == ["Bearer hush"]
    assert known.keys == ["Bearer other"]
    assert stranger.keys == [None]


async def test_recorded_queries_are_a_bounded_sample(database: Database) -> None:
    """The same query counts once, a namespace keeps 512, old ones go, and pages are no queries."""
    recorder = QueryRecorder(database, 1.0)
    for text in ("why?", "why?", ""):
        recorder.note(NAMESPACE, RecallRequest(text))
    recorder.note(NAMESPACE + 1, RecallRequest("other"))

    async def written() -> list[tuple[int, str]]:
        return await recorded_queries(database, limit=10)

    found = await until(written, what="queries are written")
    assert sorted(found) == [(NAMESPACE, "why?"), (NAMESPACE + 1, "other")]
    assert await recorded_queries(database, limit=10, namespace_id=NAMESPACE) == [
        (NAMESPACE, "why?")
    ]
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.recorded_queries SET recorded_at = now() - interval '8 days'"
        )
    assert await recorded_queries(database, limit=10) == []
    assert await purge_expired(database) == 2


async def test_nothing_is_recorded_unless_asked_for(database: Database) -> None:
    """A share of zero keeps no query, not even for a moment."""
    recorder = QueryRecorder(database, 0.0)
    for number in range(100):
        recorder.note(NAMESPACE, RecallRequest(f"query {number}"))

    assert recorder._queue.waiting == {}


async def test_two_models_are_compared_on_labelled_queries(
    database: Database, config: StackConfig, tmp_path: Path
) -> None:
    """A file's queries are asked of both; its labels say how well each answers."""
    serving, _ = await load_serving(database, config)
    async with database.service() as connection:
        namespace_id = await ensure_namespace(connection, KEY)
    ids = [await remember(database, namespace_id, text) for text in ("the red fox", "a blue whale")]
    await index_all(database, serving.id)
    await add_candidate(database, config, OTHER)
    path = tmp_path / "asked.jsonl"
    path.write_text(
        json.dumps({"query": "red fox", "relevant": [str(ids[0])]}) + "\n\nblue whale\n"
    )
    asked = await queries_from(database, path, KEY, limit=10)
    shares: list[float] = []
    found = await compare_models(database, config, "hashing:32", asked, progress=shares.append)

    assert (found["queries"], found["labelled"], found["same_first"]) == (2, 1, 1.0)
    assert found["models"] == {"serving": "hashing", "candidate": "hashing"}
    assert found["serving"]["recall_at_10"] == found["candidate"]["recall_at_10"] == 1.0
    assert found["serving"]["ndcg_at_10"] == 1.0
    assert shares == [0.5, 1.0]


async def test_what_cannot_be_compared_is_said(
    database: Database, config: StackConfig, tmp_path: Path
) -> None:
    """No query, a damaged line, a name of two models, or of none."""
    await load_serving(database, config)
    await add_candidate(database, config, OTHER)
    path = tmp_path / "asked.jsonl"
    path.write_text('{"ask": 1}\n')

    with pytest.raises(NotFound, match="no query is recorded"):
        await queries_from(database, None, None, limit=10)
    with pytest.raises(InvalidInput, match="line 1"):
        await queries_from(database, path, KEY, limit=10)
    with pytest.raises(InvalidInput, match="several models"):
        await status_named(database, "hashing")
    with pytest.raises(NotFound, match="there are: hashing, hashing"):
        await status_named(database, "minilm")
    with pytest.raises(InvalidInput, match="does not serve"):
        await compare_models(database, config, "hashing:64", [], progress=lambda _: None)
    assert await fetch(database, "SELECT * FROM pinak.recorded_queries") == []
