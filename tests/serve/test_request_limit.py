"""A gateway takes on what it can hold and refuses the rest at once, by a problem document."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from gateway_stack import Stack
from waiting import until

from pinak_ray.serve import request_limit


@asynccontextmanager
async def holding(stack: Stack, count: int, body: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Keep this many writes in the gateway; they are answered at the end."""
    release = asyncio.Event()
    stack.backend.transport.before = release.wait
    async with stack.client() as client:
        writes = [asyncio.create_task(client.post("/v1/memories", json=body)) for _ in range(count)]
        await until(lambda: len(stack.sent) == count, what="all of them are inside")
        yield client
        release.set()
        assert [(await write).status_code for write in writes] == [201] * count


def assert_overloaded(response: httpx.Response) -> None:
    """The answer says so, and when to come again."""
    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    assert response.json()["instance"] == response.headers["x-request-id"]


async def test_one_request_too_many_is_refused() -> None:
    """At the limit a request is refused at once, while probes and scrapes are answered."""
    stack = Stack(options={"max_requests": 2})
    async with holding(stack, 2, {"content": "x"}) as client:
        assert_overloaded(await client.get("/v1/stats"))
        assert (await client.get("/healthz")).status_code == 200
        metrics = (await client.get("/metrics")).text
        assert 'pinak_queue_depth{part="gateway",queue="requests"} 2.0' in metrics
    async with stack.client() as client:
        assert (await client.get("/v1/stats")).status_code == 200


async def test_bodies_are_counted_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few large bodies fill a gateway as many small ones do; a read without one passes."""
    monkeypatch.setattr(request_limit, "MAX_BODY_BYTES", 1_500)
    stack = Stack()
    body = {"content": "x" * 1_000}
    async with holding(stack, 1, body) as client:
        assert_overloaded(await client.post("/v1/memories", json=body))
        assert (await client.get("/v1/stats")).status_code == 200

        async def unannounced() -> AsyncIterator[bytes]:
            yield b"{}"

        assert_overloaded(await client.post("/v1/memories", content=unannounced()))
