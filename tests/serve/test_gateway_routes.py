"""Each route builds the operation that its verb means, and answers in the documented form."""

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.errors import (
    Conflict,
    NotRunning,
    Overloaded,
    StaleEpoch,
    Unavailable,
)
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Ack, Layer, Outcome
from pinak_ray.records.memory.nudges import Verdict
from pinak_ray.records.operations import (
    Feedback,
    Intend,
    Note,
    Post,
    Read,
    ReadContext,
    Recall,
    Remember,
)
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.security.keys import SigningKey
from pinak_ray.security.scopes import Scope
from pinak_ray.serve.context import Deadlines
from pinak_ray.serve.v1.models.service import CacheAnswer
from tests.support.gateway_stack import HOME, NUDGE, FakeBackend, Stack

FAILURE = {
    "content": "rollout blocked: migration 42 locks orders",
    "layer": "episodic",
    "outcome": "failure",
    "tags": ["orders"],
    "details": {"migration": 42},
    "occurred_at": "2026-01-31T12:00:00+01:00",
    "vector": [1, 0.5, 0, 0],
}


async def test_remember_stores_what_was_sent(stack: Stack, client: httpx.AsyncClient) -> None:
    """A memory arrives with every field, in the token's namespace, under the token's subject."""
    response = await client.post("/v1/memories", json=FAILURE)
    assert response.status_code == 201
    (operation,) = stack.sent
    assert isinstance(operation, Remember)
    memory = operation.memory
    assert (memory.namespace_id, memory.agent) == (1, "deployer")
    assert (memory.layer, memory.outcome) == (Layer.EPISODIC, Outcome.FAILURE)
    assert (memory.tags, memory.details) == (("orders",), b'{"migration":42}')
    assert memory.occurred_at.isoformat() == "2026-01-31T11:00:00+00:00"
    assert memory.vector is not None
    assert len(memory.vector) == 4 + 2 * 4
    assert response.json() == {"id": str(memory.id), "ack": "durable", "new": True, "version": None}


@pytest.mark.parametrize("where", ["header", "field"])
async def test_a_repeated_write_is_the_same_write(client: httpx.AsyncClient, where: str) -> None:
    """The same idempotency key returns the first receipt's id, with 200 and `new` false."""
    body = {"content": "x"} | ({"idempotency_key": "k"} if where == "field" else {})
    headers = {"Idempotency-Key": "k"} if where == "header" else {}
    first = await client.post("/v1/memories", json=body, headers=headers)
    again = await client.post("/v1/memories", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "new": False}


async def test_two_different_idempotency_keys_are_refused(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """A header and a field that disagree store nothing."""
    body = {"content": "x", "idempotency_key": "a"}
    response = await client.post("/v1/memories", json=body, headers={"Idempotency-Key": "b"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert stack.sent == []


@pytest.mark.parametrize("ack", list(Ack))
async def test_ack_comes_from_query_or_body(
    stack: Stack, client: httpx.AsyncClient, ack: Ack
) -> None:
    """Both places mean the same."""
    await client.post("/v1/memories", json={"content": "x", "ack": ack})
    response = await client.post(f"/v1/memories?ack={ack}", json={"content": "x"})
    assert response.json()["ack"] == ack
    assert [operation.ack for operation in stack.sent] == [ack, ack]


async def test_each_item_of_a_batch_learns_its_own_fate(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """Bad items fail alone, in their places; the others are stored."""
    items = [{"content": "a"}, {"content": ""}, {"content": "b", "tag": 1}, 7, {"content": "c"}]
    response = await client.post("/v1/memories/batch", json={"memories": items})
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 422, 201]
    assert results[2]["problem"]["errors"][0]["field"] == "tag"
    assert [operation.memory.content for operation in stack.sent] == ["a", "c"]


async def test_a_batch_can_be_repeated(stack: Stack, client: httpx.AsyncClient) -> None:
    """One Idempotency-Key covers every item of a batch."""
    body = {"memories": [{"content": "a"}, {"content": "b"}]}
    for expected in (201, 200):
        response = await client.post(
            "/v1/memories/batch", json=body, headers={"Idempotency-Key": "k"}
        )
        statuses = [result["status"] for result in response.json()["results"]]
        assert statuses == [expected, expected]
    assert len(stack.backend.transport.memories) == 2


async def test_a_batch_has_a_limit(stack: Stack, client: httpx.AsyncClient) -> None:
    """257 memories are refused as a whole."""
    body = {"memories": [{"content": "a"}] * 257}
    response = await client.post("/v1/memories/batch", json=body)
    assert response.status_code == 422
    assert stack.sent == []


async def test_an_unexpected_error_in_a_batch_stays_inside(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """One item's bug is that item's 500, without its message."""
    stack.backend.transport.failure = RuntimeError("xyzzy")
    response = await client.post("/v1/memories/batch", json={"memories": [{"content": "a"}]})
    assert response.json()["results"][0]["status"] == 500
    assert "xyzzy" not in response.text


async def test_recall_returns_hits_and_trace(stack: Stack, client: httpx.AsyncClient) -> None:
    """A hit has every field of the record, times with their zone, and a trace on request."""
    await client.post("/v1/memories", json=FAILURE)
    body = {
        "query": "what blocked it?",
        "k": 3,
        "layers": ["episodic"],
        "tags": ["orders"],
        "outcome": "failure",
        "since": "2026-01-01T00:00:00Z",
        "trace": True,
        "vector": [0.1, 0, 0, 0],
    }
    response = await client.post("/v1/recall", json=body)
    operation = stack.sent[-1]
    assert isinstance(operation, Recall)
    assert operation.request.filters.layers == (Layer.EPISODIC,)
    assert operation.request.vector is not None
    (hit,) = response.json()["hits"]
    assert hit["content"] == FAILURE["content"]
    assert hit["occurred_at"] == "2026-01-31T11:00:00+00:00"
    assert hit["signals"] == [
        {"name": "bm25", "score": 1.5, "rank": 1, "weight": 1.0, "contribution": 1.5}
    ]
    assert response.json()["trace"]["recipe"] == "default"


async def test_intend_carries_tool_and_arguments(stack: Stack, client: httpx.AsyncClient) -> None:
    """A nudge is asked for the action itself."""
    body = {"agent": "a", "intent": "deploy", "tool": "kubectl", "arguments": {"x": [1]}, "k": 2}
    response = await client.post("/v1/nudges", json=body)
    (operation,) = stack.sent
    assert isinstance(operation, Intend)
    assert operation.owner == Owner(1, Space.AGENT, "a")
    assert (operation.intent.tool, operation.intent.arguments) == ("kubectl", b'{"x":[1]}')
    assert response.json()["nudges"][0]["strength"] == "high"


async def test_intend_is_named_by_its_key(stack: Stack, client: httpx.AsyncClient) -> None:
    """A retried request is the same one; whoever wants to hear it again says so."""
    body = {"intent": "deploy", "idempotency_key": "call-7", "repeat": True}
    await client.post("/v1/nudges", json=body)
    await client.post("/v1/nudges", json=body)
    first, second = stack.sent
    assert (first.id, first.repeat) == (second.id, True)


async def test_feedback_names_a_nudge(stack: Stack, client: httpx.AsyncClient) -> None:
    """The first word answers 201, a repeated one 200; an unknown id is a 404."""
    path, body = f"/v1/nudges/{NUDGE}/feedback", {"agent": "a", "verdict": "acted_on"}
    first, second = await client.post(path, json=body), await client.post(path, json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    ada = Owner(1, Space.AGENT, "a")
    assert stack.sent[0] == Feedback(ada, NUDGE, Verdict.ACTED_ON, "deployer")
    assert first.json()["id"] == str(NUDGE)
    other = await client.post(f"/v1/nudges/{UUID(int=1)}/feedback", json=body)
    assert other.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("nudge", "body"),
    [(NUDGE, {"verdict": "great"}), (NUDGE, {}), ("x", {"verdict": "useful"})],
)
async def test_bad_feedback_is_refused(
    stack: Stack, client: httpx.AsyncClient, nudge: Any, body: Any
) -> None:
    """An unknown verdict, none, and what is no id are 422 and reach nobody."""
    response = await client.post(f"/v1/nudges/{nudge}/feedback", json=body)
    assert (response.status_code, stack.sent) == (422, [])


async def test_working_items_round_trip(stack: Stack, client: httpx.AsyncClient) -> None:
    """Any JSON value comes back as it was, under a key that may hold slashes."""
    for key, value in {"plan/step-1": {"a": [1, None]}, "text": "t", "none": None}.items():
        put = await client.put(f"/v1/agents/a/working/{key}", json={"value": value, "ttl_s": 9})
        assert (put.status_code, put.json()["version"]) == (201, 1)
        got = await client.get(f"/v1/agents/a/working/{key}")
        assert (got.json()["value"], got.json()["version"]) == (value, 1)
    response = await client.get("/v1/agents/a/working")
    assert len(response.json()["items"]) == 3
    assert isinstance(stack.sent[0], Note)


async def test_compare_and_set_conflicts(client: httpx.AsyncClient) -> None:
    """A lost compare-and-set is a 409 that names both versions."""
    path = "/v1/agents/a/working/k"
    await client.put(path, json={"value": 1, "expected_version": 0})
    response = await client.put(path, json={"value": 2, "expected_version": 0})
    assert (response.status_code, response.json()["code"]) == (409, "version_conflict")
    body = response.json()
    assert "version 1, not 0" in body["detail"]
    assert (body["key"], body["expected"], body["current"]) == ("k", 0, 1)


async def test_many_items_are_written_each_on_its_own(client: httpx.AsyncClient) -> None:
    """Items that are not named stay, and a bad one fails alone."""
    await client.put("/v1/agents/a/working/old", json={"value": 0})
    items = [{"key": "x", "value": 1}, {"key": "", "value": 1}, {"key": "y", "value": 2}]
    response = await client.put("/v1/agents/a/working", json={"items": items})
    assert [result["status"] for result in response.json()["results"]] == [201, 422, 201]
    left = await client.get("/v1/agents/a/working")
    assert [item["key"] for item in left.json()["items"]] == ["old", "x", "y"]


async def test_a_missing_item_is_not_found(client: httpx.AsyncClient) -> None:
    """An item that is not there is a 404 with its own words."""
    response = await client.get("/v1/agents/a/working/none")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_one_item_can_be_asked_for_in_the_list(client: httpx.AsyncClient) -> None:
    """The list can be held to one key; a key that is not there makes an empty list."""
    await client.put("/v1/agents/a/working/x", json={"value": 1})
    for key, expected in (("x", ["x"]), ("y", [])):
        response = await client.get("/v1/agents/a/working", params={"key": key})
        assert [item["key"] for item in response.json()["items"]] == expected


@pytest.mark.parametrize("name", ["a/working", "a/b", "100%", "%2F", "a b", "é", "..", "?#"])
async def test_any_name_can_stand_in_a_path(
    stack: Stack, client: httpx.AsyncClient, name: str
) -> None:
    """A name with a slash or a percent sign reaches its own agent, board and key."""
    part = quote(name, safe="").replace(".", "%2E")
    await client.put(f"/v1/agents/{part}/working/{part}", json={"value": 1})
    await client.get(f"/v1/agents/{part}/working")
    await client.get(f"/v1/boards/{part}")
    assert [operation.owner.name for operation in stack.sent] == [name] * 3
    assert stack.sent[0].key == name


async def test_context_takes_a_budget(stack: Stack, client: httpx.AsyncClient) -> None:
    """Budget, board and query reach the transport; the answer says what was saved."""
    response = await client.get("/v1/agents/a/context?budget_tokens=50")
    await client.get("/v1/agents/a/context?board=b&query=why%3F")
    owner = Owner(1, Space.AGENT, "a")
    assert stack.sent == [ReadContext(owner, 50), ReadContext(owner, 1000, "b", "why?")]
    (section,) = response.json().pop("sections")
    assert section == {
        "name": "working_memory", "items": 1, "omitted": 0, "tokens": 3, "eligible_tokens": 6
    }  # fmt: skip
    assert response.json() | {"sections": []} == {
        "text": "plan: migrate", "tokens": 3, "items": 1, "omitted": 0,
        "eligible_tokens": 6, "saving": 0.5, "sections": [],
    }  # fmt: skip


async def test_scratchpad_entries_round_trip(stack: Stack, client: httpx.AsyncClient) -> None:
    """An entry is the agent's own, and reading goes on from the cursor."""
    path = "/v1/agents/a/scratchpad"
    for content in ("one", "two"):
        body = {"kind": "observation", "content": content, "details": {"n": 1}}
        assert (await client.post(path, json=body)).status_code == 201
    first = (await client.get(path)).json()
    assert [entry["content"] for entry in first["entries"]] == ["one", "two"]
    assert (first["entries"][0]["author"], first["entries"][0]["details"]) == ("a", {"n": 1})
    after = (await client.get(f"{path}?after_seq={first['cursor']}&kind=task&limit=5")).json()
    assert after == {"entries": [], "cursor": 2}
    assert stack.sent[-1] == Read(Owner(1, Space.AGENT, "a"), 2, (EntryKind.TASK,), 5)


async def test_board_entries_round_trip(stack: Stack, client: httpx.AsyncClient) -> None:
    """A board's entry names its author; a public one has a key and a version to expect."""
    body = {"kind": "public", "content": "v2", "key": "release", "expected_version": 0}
    assert (await client.post("/v1/boards/team", json=body)).status_code == 201
    (operation,) = stack.sent
    assert isinstance(operation, Post)
    assert operation.owner == Owner(1, Space.BOARD, "team")
    assert (operation.author, operation.key, operation.expected_version) == (
        "deployer",
        "release",
        0,
    )
    (entry,) = (await client.get("/v1/boards/team")).json()["entries"]
    assert (entry["kind"], entry["key"], entry["seq"]) == ("public", "release", 1)


async def test_a_finding_is_one_command_on_both_ways(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """As an entry of a kind, and as a finding: the same content meets the same rule."""
    body = {"content": "locked", "details": {"table": "orders"}, "ttl_s": 60}
    await client.post("/v1/boards/team", json={"kind": "finding", **body})
    await client.post("/v1/boards/team/findings", json=body)
    one, other = (operation.command for operation in stack.sent)
    assert one == other == PostFinding(**body)


async def test_the_namespace_is_the_tokens(stack: Stack) -> None:
    """Neither a header nor a query moves a caller into another namespace."""
    async with stack.client() as home, stack.client(namespace=NamespaceKey("x", "y")) as other:
        await home.post("/v1/memories", json={"content": "ours"})
        headers = {"X-Tenant": HOME.tenant, "X-Project": HOME.project}
        response = await other.post(
            "/v1/recall?tenant=acme&project=shop", json={"query": "ours"}, headers=headers
        )
    assert response.json()["hits"] == []
    assert [operation.request.query for operation in stack.sent[1:]] == ["ours"]
    assert stack.sent[1].namespace_id == 2


async def test_stats_are_the_namespaces(client: httpx.AsyncClient) -> None:
    """Figures are those of the token's namespace."""
    assert (await client.get("/v1/stats")).json() == {
        "tenant": "acme",
        "project": "shop",
        "memories": 0,
        "namespace_id": 1,
    }


async def test_cache_stats_are_the_processes(stack: Stack) -> None:
    """Figures of the cache need a token that may read, and name the process that answered."""
    path = "/api/v1/search/cache/stats"
    async with stack.client() as client, stack.client("") as nobody:
        said = (await client.get(path)).json()
        assert (await nobody.get(path)).status_code == 401
    assert (said["process"], said["hit_rate"]) == (7, 0.75)
    assert CacheAnswer.model_validate(said).model_dump() == said


async def test_health_needs_no_token(stack: Stack) -> None:
    """A probe has no token, and the process answers it alone."""
    async with stack.client("") as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).json()["status"] == "ready"
        stack.backend.parts["writer"] = "no answer"
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["code"] == "not_ready"
    assert response.json()["parts"] == {"writer": "no answer"}


async def test_metrics_count_by_route(stack: Stack, client: httpx.AsyncClient) -> None:
    """Requests are counted by template, never by what was asked for."""
    await client.get("/v1/agents/some-agent/working")
    await client.get("/no/such/path")
    text = (await client.get("/metrics")).text
    assert 'route="/v1/agents/{agent}/working",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert 'pinak_operations_total{part="gateway",result="ok",verb="recollect"} 1.0' in text
    assert "pinak_other 1.0" in text
    assert "some-agent" not in text
    assert "no/such" not in text


async def test_jwks_publishes_the_live_keys(stack: Stack) -> None:
    """Anyone can verify our tokens."""
    async with stack.client("") as client:
        keys = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert [key["kid"] for key in keys] == [stack.key.kid]


async def test_a_new_key_works_at_once(stack: Stack, client: httpx.AsyncClient) -> None:
    """A rotation needs no restart and no waiting for a cache."""
    stack.app.state.context.keys._pause_s = 0.0
    await client.get("/v1/stats")
    key = SigningKey.generate()
    stack.backend.keys = {**stack.backend.keys, key.kid: key.public}
    async with stack.client(key=key) as fresh:
        assert (await fresh.get("/v1/stats")).status_code == 200


async def test_keys_are_read_now_and_then(stack: Stack, client: httpx.AsyncClient) -> None:
    """Many requests, and many tokens of unknown keys, read the keys once."""
    stack.app.state.context.keys._pause_s = 60.0
    async with stack.client(key=SigningKey.generate()) as stranger:
        for _ in range(5):
            assert (await client.get("/v1/stats")).status_code == 200
            assert (await stranger.get("/v1/stats")).status_code == 401
    assert stack.backend.key_reads == 1


async def test_a_withdrawn_key_ends_its_tokens(stack: Stack, client: httpx.AsyncClient) -> None:
    """A token that was let in a moment ago is refused once its key is gone."""
    assert (await client.get("/v1/stats")).status_code == 200
    stack.backend.keys = {}
    stack.app.state.context.keys._fresh_s = 0.0
    assert (await client.get("/v1/stats")).status_code == 401


async def test_an_outage_revokes_no_token(stack: Stack, client: httpx.AsyncClient) -> None:
    """Keys at hand hold while the database does not answer; without any it is a 503."""
    await client.get("/v1/stats")
    stack.backend.key_failure = Unavailable("PostgreSQL does not answer")
    stack.app.state.context.keys._fresh_s = 0.0
    assert (await client.get("/v1/stats")).status_code == 200
    cold = Stack(key=stack.key)
    cold.backend.key_failure = Unavailable("PostgreSQL does not answer")
    async with cold.client() as other:
        assert (await other.get("/v1/stats")).status_code == 503


@pytest.mark.parametrize(
    ("failure", "status", "retry_after"),
    [
        (Overloaded("the writer's queue", 2.5), 503, "3"),
        (Unavailable("no answer"), 503, "1"),
        (NotRunning(), 503, "1"),
        (StaleEpoch("moved"), 503, "1"),
        (Conflict("no"), 409, None),
    ],
)
async def test_our_errors_are_problems(
    stack: Stack,
    client: httpx.AsyncClient,
    failure: Any,
    status: int,
    retry_after: str | None,
) -> None:
    """Each error keeps its status and code, and says when to try again."""
    stack.backend.transport.failure = failure
    response = await client.post("/v1/memories", json={"content": "x"})
    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == failure.code
    assert response.headers.get("retry-after") == retry_after


async def test_a_bug_shows_nothing(stack: Stack, client: httpx.AsyncClient) -> None:
    """An unexpected error is a 500 with the request's id, and not a word of the trace."""
    stack.backend.transport.failure = RuntimeError("xyzzy")
    response = await client.post("/v1/memories", json={"content": "x"})
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert response.json()["instance"] == response.headers["x-request-id"]
    assert "xyzzy" not in response.text
    assert "Traceback" not in response.text


async def test_a_slow_stack_meets_the_deadline(stack: Stack) -> None:
    """A caller hears 503 at the deadline instead of waiting for ever."""
    slow = Stack(stack.backend, stack.key, {"deadlines": Deadlines(read_s=0.05, write_s=0.05)})
    stack.backend.transport.before = asyncio.Event().wait  # for ever
    async with slow.client() as client:
        for response in (
            await client.post("/v1/memories", json={"content": "x"}),
            await client.get("/v1/agents/a/working"),
        ):
            assert (response.status_code, response.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 129, False), ("", False)]
)
async def test_request_ids(client: httpx.AsyncClient, given: str, kept: bool) -> None:
    """A caller's request id is echoed if it is short and plain, and replaced if not."""
    response = await client.get("/healthz", headers={"X-Request-Id": given})
    assert (response.headers["x-request-id"] == given) is kept
    assert len(response.headers["x-request-id"]) > 0


async def test_reading_needs_the_read_scope(stack: Stack) -> None:
    """Writing does not include reading, and admin includes both."""
    async with stack.client(scopes=[Scope.WRITE]) as writer:
        assert (await writer.get("/v1/stats")).status_code == 403
        assert (await writer.post("/v1/memories", json={"content": "x"})).status_code == 201
    async with stack.client(scopes=[Scope.ADMIN]) as admin:
        assert (await admin.get("/v1/stats")).status_code == 200


async def test_the_backend_is_not_asked_before_a_request() -> None:
    """An application can be made before its stack is up."""
    backend = FakeBackend()
    stack = Stack(backend)
    assert backend.key_reads == 0
    assert json.loads(json.dumps(stack.document))
