"""Another protocol is an application with a form of its own, under the rings that all share."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from pinak_ray.records.operations import Recollect
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.middleware.rings import Limits
from pinak_ray.serve.protocol import HttpProtocol, Terms, answer_errors, request_id
from tests.support.gateway_stack import Stack
from tests.support.waiting import until

MAX_BODY = 8


def oops(error: Exception, scope: Scope) -> Response:
    """Return an error in the form of the tiny protocol."""
    if isinstance(error, RequestValidationError):
        status = 422
    else:
        status = getattr(error, "status", getattr(error, "status_code", 500))
    return JSONResponse({"oops": type(error).__name__, "id": request_id(scope)}, status)


def echo(context: AppContext) -> HttpProtocol:
    """Return a protocol of four routes."""
    app = FastAPI(openapi_url=None)
    app.state.context = context

    @app.get("/echo")
    async def who(caller: Reader) -> str:
        return caller.voice

    @app.get("/echo/numbers/{number}")
    async def bug(number: int) -> float:
        return 1 / number

    @app.post("/echo/said")
    async def said(request: Request) -> Response:
        return Response(await request.body())

    @app.get("/echo/held")
    async def held() -> None:
        await context.send(Recollect(Owner(1, Space.AGENT, "a")))

    answer_errors(app, oops)
    return HttpProtocol(app, oops, ("/echo",), lambda _: Terms(max_body=MAX_BODY))


@pytest.fixture
async def both() -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a gateway that speaks both."""
    async with Stack(options={"beside": [echo]}).client() as client:
        yield client


def assert_oops(answer: httpx.Response, status: int, error: str) -> None:
    """The answer is an error in the tiny protocol's form, with the request's id."""
    told = {"oops": error, "id": answer.headers["x-request-id"]}
    assert (answer.status_code, answer.json()) == (status, told)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/echo/nowhere", 404, "HTTPException"),
        ("/echo/said", 405, "HTTPException"),
        ("/echo/numbers/x", 422, "RequestValidationError"),
        ("/echo/numbers/0", 500, "ZeroDivisionError"),
    ],
)
async def test_its_errors_keep_their_form(
    both: httpx.AsyncClient, path: str, status: int, error: str
) -> None:
    """Whoever finds them, the framework or nobody; version 1 keeps its problem documents."""
    assert_oops(await both.get(path), status, error)
    problem = await both.get("/v1/nowhere")
    assert problem.headers["content-type"] == "application/problem+json"
    assert (await both.get("/echoes")).json()["code"] == "not_found"


async def test_tokens_are_the_same(both: httpx.AsyncClient) -> None:
    """One token opens both, and who has none is told in the protocol's own form."""
    assert (await both.get("/echo", headers={"X-Request-Id": "mine"})).text == '"deployer"'
    nobody = await both.get("/echo", headers={"Authorization": ""})
    assert_oops(nobody, 401, "Unauthorized")


async def test_its_bodies_have_its_own_limit(both: httpx.AsyncClient) -> None:
    """Each protocol says how much a request may send; the ring holds it to that."""
    assert (await both.post("/echo/said", content=b"x" * MAX_BODY)).text == "x" * MAX_BODY
    assert_oops(await both.post("/echo/said", content=b"x" * 9), 413, "HTTPException")
    assert_oops(await both.request("GET", "/echo", content=b"x"), 413, "HTTPException")
    assert (await both.post("/v1/memories", json={"content": "more than 8"})).status_code == 201


async def test_places_and_bytes_are_shared() -> None:
    """What a namespace holds of one protocol, it does not have for another one."""
    stack = Stack(options={"beside": [echo], "limits": Limits(max_requests=2, max_body_bytes=8)})
    async with stack.client() as client:
        too_much = await client.post("/v1/memories", json={"content": "more than 8"})
        assert too_much.json()["code"] == "overloaded"
        release = asyncio.Event()
        stack.backend.transport.before = release.wait
        held = asyncio.create_task(client.get("/echo/held"))
        await until(lambda: stack.sent, what="it is inside")
        assert (await client.get("/v1/stats")).json()["code"] == "overloaded"
        assert_oops(await client.get("/echo"), 503, "Overloaded")
        release.set()
        assert (await held).status_code == 200
        assert (await client.get("/v1/stats")).status_code == 200


async def test_its_routes_are_counted(both: httpx.AsyncClient) -> None:
    """Each by its form; what matched none is one label."""
    await both.get("/echo/numbers/4")
    await both.get("/echo/nowhere")
    text = (await both.get("/metrics")).text
    assert 'route="/echo/numbers/{number}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
