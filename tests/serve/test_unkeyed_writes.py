"""A write that takes no idempotency key says so: none is looked over."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from pinak_ray.records.operations import ChangeLink, Intend
from tests.support.gateway_stack import Stack

KEY = "Idempotency-Key"
READS = {("post", "/v1/recall"), ("post", "/v1/templates"), ("post", "/v1/memories/get")}
"""They change nothing, whatever is said twice."""


def changes() -> Iterator[tuple[str, str, bool]]:
    """Yield method and path of all that writes, and whether OpenAPI lists the header."""
    for path, operations in Stack().document["paths"].items():
        for method, operation in operations.items():
            if method != "get" and (method, path) not in READS:
                listed = {each["name"] for each in operation.get("parameters", ())}
                yield method, path, KEY in listed


UNKEYED = [(method, path) for method, path, listed in changes() if not listed]


def test_some_writes_take_a_key_and_some_do_not() -> None:
    """Neither kind is empty, or the tests below would say nothing."""
    keyed = [(method, path) for method, path, listed in changes() if listed]
    assert ("post", "/v1/memories") in keyed
    assert ("post", "/v1/nudges") in keyed
    assert {
        ("delete", "/v1/memories/{memory_id}"),
        ("post", "/v1/memories/{memory_id}/links"),
        ("delete", "/v1/memories/{memory_id}/links/{to}"),
        ("post", "/v1/nudges/{nudge_id}/feedback"),
        ("post", "/v1/recall/grade"),
        ("post", "/v1/boards/{board}/promote"),
        ("post", "/v1/agents/{agent}/scratchpad/promote"),
        ("post", "/v1/agents/{agent}/scratchpad/distill"),
        ("post", "/v1/templates/{template}/outcomes"),
        ("post", "/v1/curation"),
    } == set(UNKEYED)


@pytest.mark.parametrize(("method", "path"), UNKEYED)
async def test_a_key_that_nobody_checks_is_refused(
    stack: Stack, client: httpx.AsyncClient, method: str, path: str
) -> None:
    """It is a 422 that names the header, and nothing is done; in a body it is a 422 as well."""
    made = re.sub(r"{\w+}", lambda _: str(uuid4()), path)
    body = {"json": {}} if method == "post" else {}
    in_header = await client.request(method, made, headers={KEY: "order-7"}, **body)
    problem = in_header.json()

    assert (in_header.status_code, problem["code"]) == (422, "invalid_input")
    assert [fault["field"] for fault in problem["errors"]] == [KEY]
    assert "safe to repeat" in problem["detail"]
    if method == "post":
        in_body = await client.request(method, made, json={"idempotency_key": "order-7"})
        assert in_body.status_code == 422
        assert "idempotency_key" in in_body.text
    assert stack.sent == []


async def test_without_a_token_a_key_is_not_the_matter(client: httpx.AsyncClient) -> None:
    """Who may not write hears that first."""
    answer = await client.delete(
        f"/v1/memories/{uuid4()}", headers={KEY: "k", "Authorization": "Bearer x"}
    )
    assert answer.status_code == 401


async def test_links_still_take_their_ack_level(stack: Stack, client: httpx.AsyncClient) -> None:
    """In the query or in the body, but not two different ones."""
    one, other = [
        (await client.post("/v1/memories", json={"content": text})).json()["id"] for text in "ab"
    ]
    path, body = f"/v1/memories/{one}/links", {"to": other, "kind": "fixes"}
    first = await client.post(path, params={"ack": "accepted"}, json=body)
    torn = await client.post(path, params={"ack": "accepted"}, json={**body, "ack": "durable"})
    gone = await client.delete(f"{path}/{other}", params={"kind": "fixes", "ack": "accepted"})

    assert (first.status_code, torn.status_code, gone.status_code) == (201, 422, 200)
    levels = [each.ack for each in stack.sent if isinstance(each, ChangeLink)]
    assert levels == ["accepted", "accepted"]


async def test_an_intent_is_named_in_either_place(stack: Stack, client: httpx.AsyncClient) -> None:
    """The header names a request to intend as the body does; two different ones are refused."""
    body = {"intent": "deploy orders"}
    keyed = {**body, "idempotency_key": "k"}
    await client.post("/v1/nudges", json=keyed)
    await client.post("/v1/nudges", json=body, headers={KEY: "k"})
    torn = await client.post("/v1/nudges", json=keyed, headers={KEY: "other"})
    named = [each.id for each in stack.sent if isinstance(each, Intend)]

    assert torn.status_code == 422
    assert len(named) == 2
    assert len(set(named)) == 1
