"""A gateway takes on what it can hold and refuses the rest at once, by a problem document."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import uvicorn

from pinak_ray.records.ids import NamespaceKey
from pinak_ray.serve.middleware.rings import Limits
from pinak_ray.telemetry.logs import configure_logs
from tests.support.gateway_stack import Stack
from tests.support.waiting import until

JSON = {"Content-Type": "application/json"}
NEIGHBOUR = NamespaceKey("bravo", "web")
Address = tuple[str, int]


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
    """At its share a namespace is refused at once; another one, probes and scrapes are answered."""
    stack = Stack(options={"limits": Limits(max_requests=3)})
    async with holding(stack, 2, {"content": "x"}) as client:
        assert_overloaded(await client.get("/v1/stats"))
        assert (await client.get("/healthz")).status_code == 200
        metrics = (await client.get("/metrics")).text
        assert 'pinak_queue_depth{part="gateway",queue="requests"} 2.0' in metrics
        async with stack.client(namespace=NEIGHBOUR) as neighbour:
            assert (await neighbour.get("/v1/stats")).status_code == 200
    async with stack.client() as client:
        assert (await client.get("/v1/stats")).status_code == 200


async def test_bodies_are_counted_by_what_came() -> None:
    """Few large bodies fill a namespace's share as many small ones do; nobody else's."""
    stack = Stack(options={"limits": Limits(max_body_bytes=3_000)})
    body = {"content": "x" * 1_000}

    async def unannounced() -> AsyncIterator[bytes]:
        yield orjson.dumps(body)

    async with holding(stack, 1, body) as client, stack.client(namespace=NEIGHBOUR) as neighbour:
        assert_overloaded(await client.post("/v1/memories", json=body))
        assert_overloaded(await client.post("/v1/memories", content=unannounced(), headers=JSON))
        assert (await client.get("/v1/stats")).status_code == 200
        small = {"content": "x" * 500}
        stack.backend.transport.before = None
        assert (await neighbour.post("/v1/memories", json=small)).status_code == 201
    async with stack.client() as client:
        assert (await client.post("/v1/memories", json=body)).status_code == 201


async def test_a_body_is_not_read_before_the_token_holds(stack: Stack) -> None:
    """Whatever operation it is for: who has no token makes nobody wait for its body."""

    async def nothing_is_read() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    async with stack.client("x.y.z") as client:
        for path, methods in stack.document["paths"].items():
            for method in {"post", "put"} & methods.keys():
                answer = await client.request(
                    method, path.replace("{", "").replace("}", ""), content=nothing_is_read(),
                    headers=JSON,
                )  # fmt: skip
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path


# Over real sockets: what is announced and what comes are two things there.


@asynccontextmanager
async def served(stack: Stack) -> AsyncIterator[Address]:
    """Serve the gateway on a port, by the server that Ray Serve has too."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(stack.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started, what="the gateway listens")
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        await serving


def head(stack: Stack, line: str, *headers: str) -> bytes:
    """Return a request's head, with a token."""
    lines = (f"{line} HTTP/1.1", "Host: x", f"Authorization: Bearer {stack.token()}", *headers)
    return "\r\n".join((*lines, "Content-Type: application/json", "", "")).encode()


IDLE = {
    "announced": (8, ("POST /v1/memories/batch", "Content-Length: 16777216"), b"{"),
    "chunked": (128, ("POST /v1/recall", "Transfer-Encoding: chunked"), b"1\r\n \r\n"),
    "an extension": (64, ("POST /v1/recall", "Transfer-Encoding: chunked"), b"1;" + b"a" * 20_000),
}


@pytest.mark.parametrize("kind", IDLE)
async def test_bodies_that_do_not_come_keep_nobody_out(kind: str) -> None:
    """Connections of one namespace that announce and wait: another one is never refused."""
    stack = Stack(options={"limits": Limits(max_body_bytes=1 << 20, max_requests=300)})
    number, lines, first = IDLE[kind]
    async with served(stack) as (host, port), contextlib.AsyncExitStack() as idle:
        writers = [(await asyncio.open_connection(host, port))[1] for _ in range(number)]
        for writer in writers:
            idle.callback(writer.transport.abort)
            writer.write(head(stack, *lines) + first)
            await writer.drain()
        depth = f'pinak_queue_depth{{part="gateway",queue="requests"}} {number}.0'
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as client:

            async def all_are_inside() -> bool:
                return depth in (await client.get("/metrics")).text

            await until(all_are_inside, what="all of them are inside")
            client.headers["Authorization"] = f"Bearer {stack.token(namespace=NEIGHBOUR)}"
            answers = [await client.post("/v1/recall", json={"query": "x"}) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("length", ["Content-Length: 100000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_has_no_body_may_not_announce_one(
    stack: Stack, method: str, length: str
) -> None:
    """It is refused before anything else is looked at, and its connection ends."""
    async with served(stack) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(head(stack, f"{method} /v1/stats", length))
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in answer
    assert stack.sent == []


async def test_a_caller_that_goes_away_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """In the middle of its body it leaves a line, without a stack, and a count of its own."""
    configure_logs("info", json=True)  # to what this test captures
    stack = Stack()
    async with served(stack) as (host, port):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head(stack, "POST /v1/recall", "Content-Length: 900") + b'{"query"')
        await writer.drain()
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as client:

            async def metrics(said: str) -> bool:
                return said in (await client.get("/metrics")).text

            inside = 'pinak_queue_depth{part="gateway",queue="requests"} 1.0'
            await until(lambda: metrics(inside), what="it is inside")
            writer.transport.abort()
            left = 'method="POST",part="gateway",route="/v1/recall",status="499"} 1.0'
            await until(lambda: metrics(left), what="it is counted")
    logged = capsys.readouterr().err
    assert '"event":"caller_left"' in logged
    assert "request_failed" not in logged
