"""Curation on the running stack: counted recalls, the schedule, the command line and HTTP."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import ray
from typer.testing import CliRunner

from pinak_ray import Swarm
from pinak_ray.actors.curator import Curator
from pinak_ray.cli.application import app
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import HashingEmbedder, encode_halfvec
from pinak_ray.records.errors import NotFound
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import CurationPolicy
from pinak_ray.records.memory.memories import new_memory
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import index_some
from pinak_ray.store.memories.memories import commit_memories, encode_memory
from pinak_ray.store.models.embedding_models import register_model
from pinak_ray.store.namespaces import ensure_namespace
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(300)]

Fetch = Callable[..., Any]
LONG_AGO = datetime.now(UTC) - timedelta(days=400)


@pytest.fixture
def call(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command on the session's stack and return the object that it prints."""
    assert stack_settings.dsn is not None
    for name in ("URL", "TOKEN"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(stack_settings.home))
    monkeypatch.setenv("PINAK_DSN", stack_settings.dsn.get_secret_value())

    async def run(*arguments: str, exit_code: int = 0) -> Any:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"])
        assert exit_code == result.exit_code, result.output
        return json.loads(result.stdout)

    return run


async def test_what_is_recalled_is_counted(swarm: Swarm, fetch: Fetch) -> None:
    """Each recall counts the memories that it returned, and so does a nudge its evidence."""
    agent, other = swarm.agent("ada"), swarm.agent("bob")
    receipt = await agent.remember(
        "dropping the orders table in production deleted a day of sales",
        layer="episodic", outcome="failure", ack="searchable",
    )  # fmt: skip
    for _ in range(2):
        assert (await agent.recall("orders table dropped")).hits
    assert await other.intend("drop the orders table in production")

    async def counted() -> bool:
        rows = await fetch(
            "SELECT accesses FROM pinak.memory_access WHERE memory_id = $1", receipt.id
        )
        return [row["accesses"] for row in rows] == [3]

    await until(counted, what="three accesses are counted")


async def aged(fetch: Fetch, *ids: Any) -> None:
    """Let memories be old, past the API, which cannot do that."""
    await fetch("UPDATE pinak.memories SET created_at = $1 WHERE id = ANY ($2)", LONG_AGO, ids)


async def test_curate_and_restore(
    swarm: Swarm, fetch: Fetch, call: Callable[..., Any], stack_settings: Settings
) -> None:
    """The command says what would go, makes it go, and brings it back; HTTP shows the report."""
    agent, namespace = swarm.agent("ada"), str(swarm.namespace)
    weak, *same = [
        (await agent.remember(text, ack="searchable")).id
        for text in ("the weather was fine", "orders live in db7", "orders live in db7")
    ]
    await aged(fetch, weak)
    options = ["--namespace", namespace, "--merge", "--forget-below", "0.05"]

    (dry,) = (await call("curate", "--dry-run", *options))["reports"]
    untouched = await fetch("SELECT superseded_by FROM pinak.memories WHERE id = ANY ($1)", same)
    (wet,) = (await call("curate", *options))["reports"]
    history = await agent.recall("orders db7", k=5)
    gone = await agent.recall("weather", k=5)

    assert dry["report"]["counts"] == wet["report"]["counts"]
    assert wet["report"]["counts"] == {"weak": 1, "duplicate": 1, "near_duplicate": 0}
    assert [row["superseded_by"] for row in untouched] == [None, None]
    assert len(history.hits) == 1
    assert gone.hits == ()

    project = swarm.namespace.project
    token = (await call("token", "--project", project))["token"]
    url = StackFile.read(stack_settings.home).url
    async with httpx.AsyncClient(
        base_url=str(url), headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        shown = (await client.get("/v1/curation")).json()
        asked = (await client.post("/v1/curation", json={"dry_run": False})).json()

    assert (shown["archived"], shown["last"]["counts"]) == (1, wet["report"]["counts"])
    assert shown["policy"]["forget_below"] == 0
    assert (asked["dry_run"], sum(asked["counts"].values())) == (False, 0)

    back = await call("restore", str(weak), "--namespace", namespace)
    assert back["restored"] == str(weak)
    again = await call("restore", str(weak), "--namespace", namespace, exit_code=1)
    assert again["error"]["code"] == NotFound.code
    assert [hit.id for hit in (await agent.recall("weather", k=5)).hits] == [weak]


async def filled(dsn: str, projects: int) -> None:
    """Put five weak memories and two that say the same into each of some namespaces."""
    embedder = HashingEmbedder(64)

    async def encode(texts: Any) -> Any:
        return encode_halfvec(await embedder.embed(texts)) if texts else []

    async with await Database.open(dsn) as database:
        async with database.service() as connection:
            model_id = (await register_model(connection, "hashing", "1", 64)).id
            ids = [
                await ensure_namespace(connection, NamespaceKey("acme", f"p{n}"))
                for n in range(projects)
            ]
        for id_ in ids:
            weak = [new_memory(id_, "ada", f"weak {n}") for n in range(5)]
            same = [new_memory(id_, "ada", "it is so", salience=0.9) for _ in range(2)]
            old = [memory._replace(created_at=LONG_AGO) for memory in (*weak, *same)]
            await commit_memories(database, [encode_memory(memory) for memory in old])
        while (await index_some(database, encode, model_id=model_id)).rows:
            pass


@pytest.mark.usefixtures("swarm")  # Ray is up
async def test_two_curators_on_a_schedule_do_it_once(dsn: str, stack_settings: Settings) -> None:
    """Actors of two stacks over one database: together they do each thing once."""
    await filled(dsn, projects=4)
    policy = CurationPolicy(every_s=0.2, merge=True, forget_below=0.05)
    config = StackConfig(dsn, stack_settings.embedder_spec(), curation=policy)
    actor_class: Any = ray.remote(Curator)
    curators = [
        actor_class.options(num_cpus=0, max_concurrency=100).remote(config) for _ in range(2)
    ]
    try:

        async def curated() -> int:
            answers = [await curator.ping.remote() for curator in curators]
            return sum(answer["curated"] for answer in answers)

        async def reported() -> bool:
            return await connection.fetchval("SELECT count(*) FROM pinak.curations") == 4

        connection = await asyncpg.connect(dsn, timeout=30)
        try:
            await until(curated, what="something was curated")
            await until(reported, what="every namespace has its report")
            await until(lambda: _all_of(curated, 24), what="all is counted")
            archived = await connection.fetchval("SELECT count(*) FROM pinak.memory_archive")
            merged = await connection.fetchval(
                "SELECT count(*) FROM pinak.memories WHERE superseded_by IS NOT NULL"
            )
        finally:
            await connection.close()
    finally:
        for curator in curators:
            await curator.drain.remote()
            ray.kill(curator)

    assert (archived, merged) == (20, 4)


async def _all_of(count: Callable[[], Any], wanted: int) -> bool:
    found = await count()
    assert found <= wanted
    return bool(found == wanted)
