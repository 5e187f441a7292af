"""Bad input is a 4xx problem with a stable code, and no operation reaches the transport."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pinak_ray.security.keys import SigningKey
from pinak_ray.security.scopes import Scope
from pinak_ray.serve.middleware.rings import Limits
from tests.support.gateway_stack import DIMENSION, Stack

JSON = {"Content-Type": "application/json"}
MEMORY = "/v1/memories"
RECALL = "/v1/recall"
NUDGES = "/v1/nudges"
ITEM = "/v1/agents/a/working/k"
PAD = "/v1/agents/a/scratchpad"
BOARD = "/v1/boards/b"


def deep(levels: int) -> bytes:
    """Return details nested this deep."""
    return b'{"content":"x","details":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


def assert_problem(response: httpx.Response, *, status: int, code: str) -> None:
    """The answer is a small problem document of this status and code."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:pinak-ray:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == response.headers["x-request-id"]
    assert len(response.content) < 8_000
    assert "Traceback" not in response.text


FIELDS: list[tuple[str, dict[str, Any]]] = [
    (MEMORY, {}),
    (MEMORY, {"content": ""}),
    (MEMORY, {"content": " \n "}),
    (MEMORY, {"content": None}),
    (MEMORY, {"content": 7}),
    (MEMORY, {"content": "x" * 1_000_000}),
    (MEMORY, {"content": "é" * 32_769}),
    (MEMORY, {"content": "a\x00b"}),
    (MEMORY, {"content": "x", "layer": "sementic"}),
    (MEMORY, {"content": "x", "layer": 1}),
    (MEMORY, {"content": "x", "outcome": "fail"}),
    (MEMORY, {"content": "x", "ack": "maybe"}),
    (MEMORY, {"content": "x", "tags": "orders"}),
    (MEMORY, {"content": "x", "tags": [1]}),
    (MEMORY, {"content": "x", "tags": ["a\x00"]}),
    (MEMORY, {"content": "x", "tags": [str(n) for n in range(65)]}),
    (MEMORY, {"content": "x", "entities": {"a": 1}}),
    (MEMORY, {"content": "x", "details": [1]}),
    (MEMORY, {"content": "x", "details": {"a": "\x00"}}),
    (MEMORY, {"content": "x", "details": {"a": "y" * 70_000}}),
    (MEMORY, {"content": "x", "salience": 1.5}),
    (MEMORY, {"content": "x", "salience": "0.5"}),
    (MEMORY, {"content": "x", "salience": True}),
    (MEMORY, {"content": "x", "occurred_at": "2026-01-31T12:00:00"}),
    (MEMORY, {"content": "x", "occurred_at": "yesterday"}),
    (MEMORY, {"content": "x", "occurred_at": 1_700_000_000}),
    (MEMORY, {"content": "x", "ttl_s": 0}),
    (MEMORY, {"content": "x", "ttl_s": -1}),
    (MEMORY, {"content": "x", "ttl_s": 1e12}),
    (MEMORY, {"content": "x", "agent": ""}),
    (MEMORY, {"content": "x", "agent": "a" * 257}),
    (MEMORY, {"content": "x", "tenant": "rival"}),
    (MEMORY, {"content": "x", "namespace_id": 2}),
    (MEMORY, {"content": "x", "idempotency_key": ""}),
    (MEMORY, {"content": "x", "vector": [0, 0, 0, 0]}),
    (MEMORY, {"content": "x", "vector": ["1", 0, 0, 0]}),
    (MEMORY, {"content": "x", "vector": [True, False, True, True]}),
    (MEMORY, {"content": "x", "vector": [None] * DIMENSION}),
    (MEMORY, {"content": "x", "vector": [[1, 2, 3, 4]]}),
    (MEMORY, {"content": "x", "vector": "1,2,3,4"}),
    *[(RECALL, {"query": "x", "k": k}) for k in (0, -1, 10**9, 10**30, "x", "5", True, 1.5, None)],
    (RECALL, {"query": ""}),
    (RECALL, {"query": "x" * 9_000}),
    (RECALL, {"query": "a\x00b"}),
    (RECALL, {"query": "x", "layers": "semantic"}),
    (RECALL, {"query": "x", "layers": ["semantics"]}),
    (RECALL, {"query": "x", "tags": "orders"}),
    (RECALL, {"query": "x", "since": "2026-01-31"}),
    (RECALL, {"query": "x", "since": "2026-02-01T00:00Z", "until": "2026-01-01T00:00Z"}),
    (RECALL, {"query": "x", "min_score": "high"}),
    (RECALL, {"query": "x", "trace": 1}),
    (RECALL, {"query": "x", "recipe": "r" * 65}),
    (RECALL, {"query": "x", "filter": {}}),
    *[(RECALL, {"query": "x", "recipe": "rrf", "rrf_k": k}) for k in (0, 1001, "60", 1.5)],
    *[(RECALL, {"query": "x", "as_of": at}) for at in ("2999-01-01T00:00Z", "2026-01-31", 0)],
    *[(RECALL, {"query": "x", "cursor": c}) for c in ("", "AAAA", "x" * 65, 3)],
    (RECALL, {"query": "x", "no_tags": "orders"}),
    (RECALL, {"query": "x", "entities": [""]}),
    *[(NUDGES, {"intent": "x", "k": k}) for k in (0, 11, True, "1")],
    (NUDGES, {"intent": ""}),
    (NUDGES, {"intent": "x", "arguments": "--force"}),
    (NUDGES, {"intent": "x", "tool": ""}),
    (ITEM, {}),
    (ITEM, {"value": "a\x00b"}),
    (ITEM, {"value": "y" * 70_000}),
    (ITEM, {"value": 1, "expected_version": -1}),
    (ITEM, {"value": 1, "expected_version": "1"}),
    (ITEM, {"value": 1, "ttl_s": 0}),
    (PAD, {"kind": "finding", "content": "x"}),
    (PAD, {"kind": "thought", "content": "x"}),
    (PAD, {"kind": "task", "content": ""}),
    (PAD, {"kind": "task", "content": "x", "author": "other"}),
    (BOARD, {"kind": "observation", "content": "x"}),
    (BOARD, {"kind": "public", "content": "x"}),
    (BOARD, {"kind": "finding", "content": "x", "key": "k"}),
    (BOARD, {"kind": "finding", "content": "x", "expected_version": 1}),
    (BOARD, {"kind": "finding", "content": "x", "author": ""}),
    ("/v1/memories/batch", {"memories": []}),
    ("/v1/memories/batch", {"memories": {"content": "x"}}),
]


@pytest.mark.parametrize(("path", "body"), FIELDS, ids=lambda value: str(value)[:60])
async def test_a_bad_field_is_invalid_input(
    stack: Stack, client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    """What the contract does not allow is a 422, and nothing is stored."""
    method = "PUT" if path == ITEM else "POST"
    response = await client.request(method, path, json=body)
    assert_problem(response, status=422, code="invalid_input")
    assert stack.sent == []


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400, "-1e400", "18446744073709551616"])
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (MEMORY, '{"content": "x", "salience": NUMBER}', "salience"),
        (MEMORY, '{"content": "x", "ttl_s": NUMBER}', "ttl_s"),
        (MEMORY, '{"content": "x", "details": {"n": [NUMBER]}}', "details"),
        (RECALL, '{"query": "x", "k": NUMBER}', "k"),
        (RECALL, '{"query": "x", "min_score": NUMBER}', "min_score"),
        (NUDGES, '{"intent": "x", "arguments": {"n": NUMBER}}', "arguments"),
        (ITEM, '{"value": NUMBER}', "value"),
        (ITEM, '{"value": 1, "expected_version": NUMBER}', "expected_version"),
    ],
)
async def test_a_number_is_what_was_sent(
    stack: Stack, client: httpx.AsyncClient, path: str, body: str, field: str, number: str
) -> None:
    """A number of any size reaches the check of its field, which names it: none is rounded."""
    method = "PUT" if path == ITEM else "POST"
    response = await client.request(
        method, path, content=body.replace("NUMBER", number), headers=JSON
    )
    assert_problem(response, status=422, code="invalid_input")
    assert field in response.text
    assert stack.sent == []


@pytest.mark.parametrize("bad", ['{"n": 1e999}', '{"n": 99999999999999999999}'])
async def test_a_bad_number_fails_alone(stack: Stack, client: httpx.AsyncClient, bad: str) -> None:
    """In a batch its neighbours are carried."""
    body = f'{{"memories": [{{"content": "x", "details": {bad}}}, {{"content": "y"}}]}}'
    response = await client.post("/v1/memories/batch", content=body, headers=JSON)

    assert [fate["status"] for fate in response.json()["results"]] == [422, 201]
    assert len(stack.sent) == 1


@pytest.mark.parametrize("vector", [[], [1.0] * 3, [1.0] * 5])
@pytest.mark.parametrize(("path", "text"), [(MEMORY, "content"), (RECALL, "query")])
async def test_a_wrong_dimension_has_its_own_code(
    stack: Stack, client: httpx.AsyncClient, path: str, text: str, vector: list[float]
) -> None:
    """A vector of another model is told apart from other faults."""
    response = await client.post(path, json={text: "x", "vector": vector})
    assert_problem(response, status=422, code="wrong_dimension")
    assert stack.sent == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"{'content': 'x'}",
        b'{"content":"x"} {}',
        b'{"content":"x","vector":[NaN,0,0,0]}',
        b'{"content":"x","vector":[Infinity,0,0,0]}',
        b'{"content":"x","details":{"a":NaN}}',
        b'{"content":"\\ud800"}',
        b'{"content":"\xff"}',
        b'{"content":"\xed\xa0\x80"}',
        b"",
    ],
    ids=lambda body: str(body[:40]),
)
async def test_malformed_json_is_told(stack: Stack, client: httpx.AsyncClient, body: bytes) -> None:
    """What is not JSON (NaN and lone surrogates are not) is a 400."""
    response = await client.post(MEMORY, content=body, headers=JSON)
    assert_problem(response, status=400, code="malformed")
    assert stack.sent == []


@pytest.mark.parametrize("body", [deep(500), deep(100_000), b"[]", b"null", b'"x"', b"7"])
async def test_json_of_another_shape_is_invalid(
    stack: Stack, client: httpx.AsyncClient, body: bytes
) -> None:
    """JSON that is no object, or too deep to store, is a 422."""
    response = await client.post(MEMORY, content=body, headers=JSON)
    assert_problem(response, status=422, code="invalid_input")
    assert stack.sent == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/a%00b/working",
        f"/v1/agents/{'a' * 257}/working",
        "/v1/agents/%20/working",
        "/v1/agents/a/working/%00",
        "/v1/agents/a/working/",
        "/v1/agents/a/context?budget_tokens=0",
        "/v1/agents/a/context?budget_tokens=x",
        "/v1/agents/a/context?query=",
        "/v1/agents/a/context?board=%00",
        "/v1/agents/a/scratchpad?after_seq=-1",
        "/v1/agents/a/scratchpad?after_seq=99999999999999999999",
        "/v1/agents/a/scratchpad?kind=hunch",
        "/v1/boards/b?limit=0",
        "/v1/boards/b?limit=100000",
        "/v1/boards/%00",
    ],
)
async def test_bad_paths_and_queries_are_invalid(
    stack: Stack, client: httpx.AsyncClient, path: str
) -> None:
    """Names and parameters are checked as bodies are."""
    assert_problem(await client.get(path), status=422, code="invalid_input")
    assert stack.sent == []


async def test_unknown_paths_methods_and_media_types(client: httpx.AsyncClient) -> None:
    """A wrong address, verb or form of body each has its own code."""
    assert_problem(await client.get("/v2/memories"), status=404, code="not_found")
    assert_problem(await client.post("/v1/memories/"), status=404, code="not_found")
    wrong = await client.delete(MEMORY)
    assert_problem(wrong, status=405, code="method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    form = await client.post(MEMORY, data={"content": "x"})
    assert_problem(form, status=415, code="unsupported_media_type")


@pytest.mark.parametrize("announced", [True, False])
async def test_too_long_a_body_is_refused(
    stack: Stack, client: httpx.AsyncClient, announced: bool
) -> None:
    """Over 1 MiB is a 413, read no further than that, with or without Content-Length."""
    chunk = b" " * 65_536
    taken = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1_024):
            taken += len(chunk)
            yield chunk

    headers = {**JSON, "Content-Length": str(1_024 * len(chunk))} if announced else JSON
    response = await client.post(MEMORY, content=stream(), headers=headers)
    assert_problem(response, status=413, code="too_large")
    assert taken <= (1 << 20) + 2 * len(chunk)
    assert stack.sent == []


@pytest.mark.parametrize("limit", ["body_timeout_s", "body_silence_s"])
async def test_too_slow_a_body_is_refused(stack: Stack, limit: str) -> None:
    """A body that does not arrive, or stops, does not hold its connection for ever."""
    slow = Stack(stack.backend, stack.key, {"limits": replace(Limits(), **{limit: 0.05})})

    async def stream() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with slow.client() as client:
        response = await client.post(MEMORY, content=stream(), headers=JSON)
    assert_problem(response, status=408, code="request_timeout")
    assert stack.sent == []


def none_algorithm(token: str) -> str:
    """Return the token's claims unsigned."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "x"}).encode()).rstrip(b"=")
    return f"{head.decode()}.{token.split('.')[1]}."


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no token"),
        ("malformed", "malformed"),
        ("expired", "expired"),
        ("foreign", "unknown key"),
        ("none", "not signed with EdDSA"),
    ],
)
@pytest.mark.parametrize("path", [MEMORY, RECALL, NUDGES, PAD, BOARD])
async def test_a_token_that_does_not_hold_is_unauthorized(
    stack: Stack, path: str, kind: str, says: str
) -> None:
    """Each fault of a token is a 401 with its reason; the body is not even looked at."""
    token = {
        "missing": "",
        "malformed": "a.b.c",
        "expired": stack.token(age=timedelta(hours=2)),
        "foreign": stack.token(key=SigningKey.generate()),
        "none": none_algorithm(stack.token()),
    }[kind]
    async with stack.client(token) as client:
        response = await client.post(path, content=b"{", headers=JSON)
    assert_problem(response, status=401, code="unauthorized")
    assert says in response.json()["detail"]
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert stack.sent == []


async def test_another_scheme_is_unauthorized(stack: Stack) -> None:
    """A password is no token."""
    async with stack.client("") as client:
        response = await client.get("/v1/stats", headers={"Authorization": "Basic eDp4"})
    assert_problem(response, status=401, code="unauthorized")


@pytest.mark.parametrize("path", [MEMORY, PAD, BOARD, "/v1/memories/batch"])
async def test_a_missing_scope_is_forbidden(stack: Stack, path: str) -> None:
    """A reader cannot write, and hears which scope that takes."""
    async with stack.client(scopes=[Scope.READ]) as client:
        response = await client.post(path, json={"content": "x"})
    assert_problem(response, status=403, code="forbidden")
    assert Scope.WRITE in response.json()["detail"]
    assert stack.sent == []


async def test_faults_name_fields_and_do_not_echo(client: httpx.AsyncClient) -> None:
    """The answer lists the bad fields, and quotes neither the input nor long names."""
    body = {"content": ["xyzzy"], "tags": "xyzzy", "y" * 5_000: 1}
    response = await client.post(MEMORY, json=body)
    assert_problem(response, status=422, code="invalid_input")
    fields = [fault["field"] for fault in response.json()["errors"]]
    assert fields[:2] == ["content", "tags"]
    assert "xyzzy" not in response.text


async def test_many_faults_make_a_short_answer(client: httpx.AsyncClient) -> None:
    """An answer does not grow with the number of faults."""
    body = {"content": "x"} | {f"field-{n}": n for n in range(5_000)}
    response = await client.post(MEMORY, json=body)
    assert_problem(response, status=422, code="invalid_input")
