"""Watching over HTTP: long poll and server-sent events, and what ends them."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from pinak_ray.records.errors import Unavailable
from pinak_ray.records.operations import Watch, WatchPage
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.middleware.rings import Limits
from pinak_ray.serve.v1.event_stream import EventStream
from tests.support.gateway_stack import Stack
from tests.support.waiting import until

BOARD = Owner(1, Space.BOARD, "plan")
STREAM = {"Accept": "text/event-stream"}


async def post(client: httpx.AsyncClient, *contents: str) -> None:
    """Post findings to the board."""
    for content in contents:
        await client.post("/v1/boards/plan", json={"kind": "finding", "content": content})


def streamed(stack: Stack, watch: Watch, **options: float) -> EventStream:
    """Return a stream over the stack's backend."""
    context: AppContext = stack.app.state.context
    return EventStream(context, watch, **options)


async def sent_by(stream: EventStream, until_disconnect: "asyncio.Event") -> list[dict[str, Any]]:
    """Run a stream whose caller leaves when the event is set; return what was sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await until_disconnect.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with asyncio.timeout(60):
        await stream({"type": "http", "state": {"request_id": "r"}}, receive, send)
    return sent


async def test_a_long_poll_says_what_to_wait_for(stack: Stack, client: httpx.AsyncClient) -> None:
    """Every parameter reaches the operation, and the answer has entries and cursor."""
    await post(client, "one")
    answer = await client.get(
        "/v1/boards/plan/watch",
        params={
            "after_seq": 0,
            "kind": ["finding", "public"],
            "author": "ada",
            "prefix": "a/",
            "limit": 7,
            "wait_s": 1.5,
        },
    )

    assert stack.sent[-1] == Watch(
        BOARD, 0, (EntryKind.FINDING, EntryKind.PUBLIC), ("ada",), "a/", 7, 1.5
    )
    assert [entry["content"] for entry in answer.json()["entries"]] == ["one"]
    assert answer.json()["cursor"] == 1
    await client.get("/v1/agents/ada%2Fü/watch")
    assert stack.sent[-1].owner == Owner(1, Space.AGENT, "ada/ü")


@pytest.mark.parametrize(
    ("parameters", "headers"),
    [
        ({"wait_s": 21}, {}),
        ({"wait_s": "nan"}, {}),
        ({"after_seq": -1}, {}),
        ({"kind": "rumour"}, {}),
        ({"prefix": ""}, {}),
        ({}, {"Last-Event-ID": "x"}),
    ],
)
async def test_bad_input_is_refused(
    client: httpx.AsyncClient, parameters: dict[str, Any], headers: dict[str, str]
) -> None:
    """As a problem, whichever form of answer was asked for."""
    for accept in ({}, STREAM):
        answer = await client.get(
            "/v1/boards/plan/watch", params=parameters, headers={**headers, **accept}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_poll_has_its_own_deadline(stack: Stack) -> None:
    """What it was asked to wait comes on top of what any read may take."""
    context: AppContext = stack.app.state.context
    assert context.deadlines.of(Watch(BOARD, wait_s=20)) == context.deadlines.read_s + 20


async def test_a_stream_has_ids_heartbeats_and_an_end(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """An event has its entry's seq; a heartbeat carries the cursor; then the client reconnects."""
    await post(client, "one", "two")
    stream = streamed(stack, Watch(BOARD, 1), stream_s=0.05, heartbeat_s=0.01)
    start, *parts = await sent_by(stream, asyncio.Event())
    text = b"".join(part.get("body", b"") for part in parts)
    events = [
        dict(line.split(b": ", 1) for line in e.split(b"\n")) for e in text.split(b"\n\n")[:-1]
    ]

    assert (start["status"], dict(start["headers"])[b"content-type"]) == (
        200,
        b"text/event-stream; charset=utf-8",
    )
    assert (events[0], events[1][b"id"], events[1][b"event"]) == (
        {b"retry": b"500"},
        b"2",
        b"finding",
    )
    assert orjson.loads(events[1][b"data"])["content"] == "two"
    assert events[2:] == [{b"": b"", b"id": b"2"}] * (len(events) - 2)
    assert not parts[-1].get("more_body")


async def test_a_stream_resumes_where_it_broke(stack: Stack, client: httpx.AsyncClient) -> None:
    """Last-Event-ID counts, not the cursor of the first request."""
    stack.backend.transport.failure = Unavailable("down")
    answer = await client.get(
        "/v1/boards/plan/watch", headers={**STREAM, "Last-Event-ID": "41"}, params={"after_seq": 3}
    )

    assert stack.sent[-1].after_seq == 41
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: problem" in answer.text
    assert '"code":"unavailable"' in answer.text


@pytest.mark.parametrize("form", ["poll", "stream"])
async def test_a_caller_that_leaves_ends_its_wait(stack: Stack, form: str) -> None:
    """The wait behind the request is cancelled, not left until its time is up."""
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stack.backend.transport.before = wait
    leaves = asyncio.Event()
    if form == "stream":
        work: Any = sent_by(streamed(stack, Watch(BOARD)), leaves)
    else:
        work = asked(stack, leaves)
    serving = asyncio.create_task(work)
    await until(lambda: stack.sent, what="the wait has begun")
    leaves.set()
    await serving

    assert ended.is_set()


async def asked(stack: Stack, until_disconnect: asyncio.Event) -> None:
    """Send a long poll whose caller leaves when the event is set."""
    first = True

    async def receive() -> dict[str, Any]:
        nonlocal first
        if not first:
            await until_disconnect.wait()
            return {"type": "http.disconnect"}
        first = False
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        return None

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/boards/plan/watch",
        "raw_path": b"/v1/boards/plan/watch",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {stack.token()}".encode())],
    }
    await stack.app(scope, receive, send)


async def test_watchers_do_not_keep_requests_out() -> None:
    """They have a limit of their own, beyond which a watcher hears Overloaded."""
    stack = Stack(options={"limits": Limits(max_requests=1, max_watchers=1)})
    stack.backend.transport.before = asyncio.Event().wait
    async with stack.client() as client:
        waiting = asyncio.create_task(client.get("/v1/boards/plan/watch"))
        await until(lambda: stack.sent, what="the wait has begun")
        stack.backend.transport.before = None
        refused = await client.get("/v1/boards/plan/watch")
        served = await client.get("/v1/boards/plan")
        waiting.cancel()

    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert served.status_code == 200


async def test_a_page_of_the_backend_is_passed_on(stack: Stack, client: httpx.AsyncClient) -> None:
    """An empty page has the cursor that skips what did not match."""
    stack.backend.transport.page = WatchPage((), 9)
    answer = await client.get("/v1/boards/plan/watch")

    assert answer.json() == {"entries": [], "cursor": 9}
