"""A stack that is full says so through the real ingress, quickly, and loses nothing it accepted.

A stack of its own, whose Writer holds few memories; its queues are filled by taking the lock of the
memories' table, as a long migration would. Only HTTP: this process may hold another Ray.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from pinak_ray.client.discovery import StackFile
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Ack
from pinak_ray.security import KeyRing, Scope, issue_token
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(300)]

_GATEWAYS = 2
_PLACES = 128
"""Of each gateway. One namespace takes half of them: no more than the Writer lets wait for it."""
_CLI = "from pinak_ray.cli import main; main()"


async def asked(dsn: str, statement: str) -> Any:
    """Run one statement, and return the first value of its answer."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@dataclass(frozen=True)
class SmallStack:
    """A running stack, as an HTTP caller and its database's owner see it."""

    home: Path
    dsn: str

    @asynccontextmanager
    async def client(self, connections: int = 100) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a caller in a namespace of its own."""
        token = issue_token(
            KeyRing.load_or_create(self.home / "keys").current,
            "tester",
            namespace=NamespaceKey("acme", uuid4().hex),
            scopes=(Scope.READ, Scope.WRITE, Scope.AGENTS),
        )
        async with httpx.AsyncClient(
            base_url=StackFile.read(self.home).url,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_connections=connections),
            timeout=60,
        ) as client:
            yield client

    @asynccontextmanager
    async def locked(self, mode: str) -> AsyncIterator[None]:
        """Hold the memories' table: nothing can be written, or not even read."""
        connection = await asyncpg.connect(self.dsn, timeout=30)
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE pinak.memories IN {mode} MODE")
                yield
        finally:
            await connection.close()

    async def count(self) -> int:
        """Return how many memories are stored."""
        return int(await asked(self.dsn, "SELECT count(*) FROM pinak.memories"))


@pytest.fixture(scope="module")
def small(server_dsn: str, reachable_dir: Path) -> Iterator[SmallStack]:
    """A stack whose Writer is soon full."""
    home, dsn = reachable_dir / "small", urlunsplit(urlsplit(server_dsn)._replace(path="/small"))
    asyncio.run(asked(server_dsn, "CREATE DATABASE small"))
    environment = {
        **os.environ,
        "PINAK_HOME": str(home),
        "PINAK_DSN": dsn,
        "PINAK_HTTP_PORT": "0",
        "PINAK_NUM_CPUS": "8",
        "PINAK_GATEWAYS": str(_GATEWAYS),
        "PINAK_GATEWAY_REQUESTS": str(_PLACES),
        "PINAK_WRITER_CAPACITY": "256",
        "PINAK_EMBEDDER": "hashing",
    }

    def cli(command: str) -> None:
        subprocess.run(
            [sys.executable, "-c", _CLI, command, "--json"],
            env=environment, check=True, timeout=200, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    try:
        cli("up")
        yield SmallStack(home, dsn)
    finally:
        cli("down")
        asyncio.run(asked(server_dsn, "DROP DATABASE small WITH (FORCE)"))


def assert_overloaded(response: httpx.Response) -> None:
    """The gateway's own problem document came through HAProxy as it was."""
    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["instance"] == response.headers["x-request-id"]


async def test_a_full_writer_is_a_503_and_loses_nothing(small: SmallStack) -> None:
    """While nothing can be committed the queue fills; what was acknowledged is stored after."""
    before = await small.count()
    answers: list[httpx.Response] = []

    async with small.client() as client:

        async def some() -> bool:
            """Write 50 memories that wait for nothing; was one refused?"""
            body = {"content": "orders are locked", "ack": "accepted"}
            new = await asyncio.gather(*(client.post("/v1/memories", json=body) for _ in range(50)))
            answers.extend(new)
            return any(answer.status_code == 503 for answer in new)

        async with small.locked("EXCLUSIVE"):
            await until(some, what="the writer is full")
            # What does not need the writer goes on.
            assert (await client.get("/v1/agents/a/working")).status_code == 200
            assert (await client.post("/v1/recall", json={"query": "x"})).status_code == 200
        accepted = [answer for answer in answers if answer.status_code == 201]
        for answer in answers:
            if answer.status_code != 201:
                assert_overloaded(answer)

        async def all_are_stored() -> bool:
            return await small.count() == before + len(accepted)

        await until(all_are_stored, what="what was accepted is stored")
        assert (await client.post("/v1/memories", json={"content": "x"})).status_code == 201


async def test_a_tenant_that_fills_the_writer_stops_no_other(small: SmallStack) -> None:
    """Whoever sends more than its share is refused, and what another one writes is accepted."""
    body = {"content": "orders are locked", "ack": "accepted"}
    before, accepted = await small.count(), 0

    async with small.client() as bulky, small.client() as other:

        async def write(client: httpx.AsyncClient, count: int) -> list[httpx.Response]:
            return await asyncio.gather(
                *(client.post("/v1/memories", json=body) for _ in range(count))
            )

        async def is_refused() -> bool:
            nonlocal accepted
            answers = await write(bulky, 50)
            accepted += sum(answer.status_code == 201 for answer in answers)
            return any(answer.status_code == 503 for answer in answers)

        async with small.locked("EXCLUSIVE"):
            await until(is_refused, what="one tenant has filled its share")
            assert {answer.status_code for answer in await write(other, 20)} == {201}
            (answer,) = await write(bulky, 1)
            assert_overloaded(answer)

        async def all_are_stored() -> bool:
            return await small.count() == before + accepted + 20

        await until(all_are_stored, what="what was accepted is stored")


async def test_more_callers_than_places_are_refused_at_once(small: SmallStack) -> None:
    """Each gateway holds so many requests; the next ones hear 503 while those still wait."""
    spare = 64
    everybody = _GATEWAYS * _PLACES + spare
    async with small.client(everybody + 1) as client, small.locked("EXCLUSIVE"):
        writes = [
            asyncio.create_task(client.post("/v1/memories", json={"content": "x"}))
            for _ in range(everybody)
        ]

        def refused() -> list[httpx.Response]:
            return [write.result() for write in writes if write.done()]

        await until(lambda: len(refused()) >= spare, what="those without a place are refused")
        for answer in refused():
            assert_overloaded(answer)
            assert "served by this gateway" in answer.json()["detail"]
        assert (await client.get("/healthz")).status_code == 200
        for write in writes:
            write.cancel()
        await asyncio.wait(writes)

    async with small.client() as client:

        async def everybody_is_served() -> bool:
            """The gateways have heard that those callers left, and hold their places no more."""
            answers = await asyncio.gather(
                *(client.get("/v1/agents/a/working") for _ in range(spare))
            )
            return all(answer.status_code == 200 for answer in answers)

        await until(everybody_is_served, what="the places are free again")


async def test_searches_wait_in_a_short_line(small: SmallStack) -> None:
    """When the database does not answer, few searches hold its connections; the rest hear 503."""
    async with small.client() as client:
        async with small.locked("ACCESS EXCLUSIVE"):
            searches = [
                # Equal ones would share one search.
                asyncio.create_task(client.post("/v1/recall", json={"query": f"orders {number}"}))
                for number in range(60)
            ]
            async with asyncio.timeout(60):
                for first in asyncio.as_completed(searches):
                    assert_overloaded(await first)
                    break
        answers = await asyncio.gather(*searches)
        assert {answer.status_code for answer in answers} == {200, 503}
        assert (await client.post("/v1/recall", json={"query": "orders"})).status_code == 200


WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "memory": ("POST", "/v1/memories", {"content": "x"}),
    "memories": ("POST", "/v1/memories/batch", {"memories": [{"content": "x"}]}),
    "item": ("PUT", "/v1/agents/a/working/k", {"value": 1}),
    "items": ("PUT", "/v1/agents/a/working", {"items": [{"key": "k", "value": 1}]}),
    "scratchpad": ("POST", "/v1/agents/a/scratchpad", {"kind": "observation", "content": "x"}),
    # A finding said twice is one: a public entry is written anew each time.
    "board": ("POST", "/v1/boards/b", {"kind": "public", "key": "k", "content": "x"}),
}


@pytest.mark.parametrize("write", WRITES)
async def test_every_write_takes_every_ack_level(small: SmallStack, write: str) -> None:
    """The level asked for, in the body or in the query, is the one on the receipt."""
    method, path, body = WRITES[write]

    async with small.client() as client:
        for ack in Ack:
            asked: list[dict[str, Any]] = [
                {"json": {**body, "ack": ack}},
                {"json": body, "params": {"ack": ack}},
            ]
            for options in asked:
                answer = await client.request(method, path, **options)
                receipt = answer.json()
                if "results" in receipt:
                    (fate,) = receipt["results"]
                    receipt = fate["receipt"]
                assert (answer.is_success, receipt["ack"], receipt["new"]) == (True, ack, True)


async def test_every_gateway_tells_of_its_cache(small: SmallStack) -> None:
    """A repeated recall is answered from memory; each replica counts its own lookups."""
    lookups: dict[int, dict[str, int]] = {}
    async with small.client() as client:
        for _ in range(20):
            assert (await client.post("/v1/recall", json={"query": "orders"})).is_success

        async def everybody_told() -> bool:
            said = (await client.get("/api/v1/search/cache/stats")).json()
            lookups[said["process"]] = said["lookups"]
            return len(lookups) == _GATEWAYS

        await until(everybody_told, what="each gateway was asked")
        text = (await client.get("/metrics")).text
    assert sum(counted["equal"] for counted in lookups.values()) >= 20 - _GATEWAYS
    assert all(
        f'pinak_cache_lookups_total{{cache="recall",part="{part}",result="equal"}}' in text
        for part in ("gateway", "recaller-0")
    )


async def test_metrics_tell_every_queue(small: SmallStack) -> None:
    """One scrape has the depth of each part's queue, and no label names an agent."""
    async with small.client() as client:
        await client.put("/v1/agents/some-agent/working/k", json={"value": 1})
        text = (await client.get("/metrics")).text
    queues = {line.partition(" ")[0] for line in text.splitlines() if "queue_depth{" in line}
    for part in ("writer-0", "host-0", "indexer-0", "recaller-0"):
        assert f'pinak_queue_depth{{part="{part}",queue="{part}"}}' in queues
    for queue in ("requests", "search", "operations"):
        assert any(f'queue="{queue}"' in labels for labels in queues), queue
    assert "some-agent" not in text
