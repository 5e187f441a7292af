"""Another embedding model, through the command line on a running stack: added, tried, undone."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pinak_ray import Swarm
from pinak_ray.cli.application import app
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.errors import WrongDimension
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(600)]

Call = Callable[..., Any]
Fetch = Callable[..., Any]

OTHER = "hashing:48"
VECTORS = """
SELECT m.dimension, v.embedding IS NOT NULL AS there
FROM pinak.embedding_models AS m
LEFT JOIN pinak.memory_vectors AS v ON v.model_id = m.id AND v.kind = 0 AND v.memory_id = $1
WHERE m.spec IS NOT NULL ORDER BY m.id
"""
STORED = "SELECT count(*) AS n FROM pinak.memories WHERE content = $1"


@pytest.fixture
def call(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run `pinak-ray models ...` and return its object; afterwards the stack is as it was."""
    assert stack_settings.dsn is not None
    for name in ("URL", "TOKEN"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(stack_settings.home))
    monkeypatch.setenv("PINAK_DSN", stack_settings.dsn.get_secret_value())

    def run(*arguments: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert exit_code == result.exit_code, result.output
        return json.loads(result.stdout)

    yield run
    if any(
        m["state"] == "serves" and m["dimension"] == 48 for m in run("models", "list")["models"]
    ):
        run("models", "rollback")
    if any(m["dimension"] == 48 for m in run("models", "list")["models"]):
        run("models", "remove", OTHER)


async def until_followed(settings: Settings, dimension: int, url: str, token: str) -> None:
    """Return once every part answers with the model of this dimension, gateways too."""

    def parts() -> bool:
        name = "hashing" if dimension == 48 else "all-MiniLM-L6-v2"
        told = [part["model"] for part in health(settings).values() if "model" in part]
        return bool(told) and set(told) == {name}

    async def gateways() -> bool:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            answers = [await client.get(f"{url}/v1/stats", timeout=30) for _ in range(8)]
        return {answer.json()["model"]["dimension"] for answer in answers} == {dimension}

    await until(
        lambda: asyncio.to_thread(parts), what=f"recallers and indexers with {dimension} dimensions"
    )
    await until(gateways, what=f"gateways with {dimension} dimensions")


async def test_a_model_is_added_compared_switched_to_and_rolled_back(
    call: Call,
    stack_settings: Settings,
    join: Callable[[str], Swarm],
    fetch: Fetch,
    tmp_path: Path,
) -> None:
    """The stack runs on meanwhile; every memory has the vectors of both, and one goes back."""
    url = StackFile.read(stack_settings.home).url
    before = join("models")
    project = before.namespace.project
    token = (await asyncio.to_thread(call, "token", "--project", project))["token"]
    ada = before.agent("ada")
    texts = ["migration 42 locked the orders table", "the cache was cold after the failover"]
    receipts = [await ada.remember(text, ack="searchable") for text in texts]
    assert url is not None

    added = await asyncio.to_thread(call, "models", "add", "hashing", "--dimension", "48", "--wait")
    during = await ada.remember("the queue filled up at night", ack="searchable")
    asked = tmp_path / "asked.jsonl"
    lines = [
        json.dumps({"query": text, "relevant": [str(receipt.id)]})
        for text, receipt in zip(texts, receipts, strict=True)
    ]
    asked.write_text("\n".join([*lines, "a query without labels"]), encoding="utf-8")
    compared = await asyncio.to_thread(
        call, "models", "compare", OTHER, "--queries", str(asked), "--project", project
    )

    assert (added["state"], added["coverage"], added["missing"]) == ("ready", 1.0, 0)
    assert (compared["queries"], compared["labelled"]) == (3, 2)
    assert compared["candidate"]["recall_at_10"] == compared["serving"]["recall_at_10"] == 1.0

    assert await asyncio.to_thread(call, "models", "switch", OTHER) == {"serves": "hashing"}
    await until_followed(stack_settings, 48, url, token)
    vector = [1.0] * 384
    with pytest.raises(WrongDimension, match="connect again"):
        await ada.remember("of another model", vector=vector)
    with pytest.raises(WrongDimension):
        await ada.recall("of another model", vector=vector)
    after = join("unused")
    lin = after.agent("lin")
    mine = await lin.remember("a vector of my own", vector=[1.0] * 48, ack="searchable")
    found = await lin.recall("nothing alike", vector=[1.0] * 48, recipe="dense")
    later = await ada.remember("the index was rebuilt", ack="searchable")
    rebuilt = await ada.recall("index rebuilt", recipe="dense")

    assert (before.dimension, after.dimension) == (384, 48)
    assert [hit.id for hit in found.hits] == [mine.id]
    assert (await fetch(STORED, "of another model"))[0]["n"] == 0
    assert later.id in {hit.id for hit in rebuilt.hits}

    assert await asyncio.to_thread(call, "models", "rollback") == {"serves": "all-MiniLM-L6-v2"}
    await until_followed(stack_settings, 384, url, token)
    last = await ada.remember("all is well again", ack="searchable")

    async def complete() -> bool:
        ids = [receipts[0].id, during.id, mine.id, later.id, last.id]
        rows = [row for id_ in ids for row in await fetch(VECTORS, id_)]
        return len(rows) == 2 * len(ids) and all(row["there"] for row in rows)

    await until(complete, what="vectors of both models for every memory")
    back = await ada.recall("what was rebuilt?", recipe="dense")
    assert later.id in {hit.id for hit in back.hits}


def test_a_switch_before_its_time_is_refused(call: Call) -> None:
    """It says how far the back-fill is; a name that nobody knows is not found."""
    refused = call("models", "switch", "nothing", exit_code=1)
    serves = call("models", "switch", "all-MiniLM-L6-v2", exit_code=1)

    assert refused["error"]["code"] == "not_found"
    assert serves["error"]["code"] == "conflict"
