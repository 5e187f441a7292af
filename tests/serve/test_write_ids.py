"""A call has an id of its own, and a caller gives keys: client and gateway tell them apart."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from pinak_ray.client.over_http.requests import http_request
from pinak_ray.records.board.questions import Ask
from pinak_ray.records.commands import checked_model
from pinak_ray.records.ids import uuid7
from pinak_ray.records.memory.memories import Ack, new_memory
from pinak_ray.records.operations import Remember
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.records.state.writes import new_execute, new_note, new_post
from pinak_ray.records.write_keys import WRITE_ID
from tests.support.gateway_stack import Stack

WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/memories", {"content": "x"}),
    ("PUT", "/v1/agents/deployer/working/plan", {"value": 1}),
    ("POST", "/v1/agents/deployer/scratchpad", {"kind": "task", "content": "x"}),
    ("POST", "/v1/boards/b", {"kind": "finding", "content": "x"}),
    ("POST", "/v1/boards/b", {"kind": "public", "key": "k", "content": "x"}),
]


def id_of(operation: Any) -> UUID:
    """Return the id of a sent write."""
    id_: UUID = operation.memory.id if isinstance(operation, Remember) else operation.id
    return id_


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_call_that_comes_again_is_the_same_write(
    stack: Stack, client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any]
) -> None:
    """It has one id, which is not the one that was given; another call has another."""
    made = uuid7()
    for given in (made, made, uuid7()):
        answer = await client.request(method, path, json=body, headers={WRITE_ID: str(given)})
        assert answer.status_code in (200, 201)
    first, again, other = map(id_of, stack.sent)

    assert first == again
    assert len({first, other, made}) == 3
    assert first.int >> 80 == made.int >> 80


async def test_an_id_names_the_write_of_nobody_else(
    stack: Stack, client: httpx.AsyncClient
) -> None:
    """Whoever sends the id of somebody's memory or entry has a write of their own."""
    answer = await client.post("/v1/memories", json={"content": "x"})
    theirs = answer.json()["id"]
    for author in ("ann", "bob"):
        body = {"kind": "finding", "content": "mine", "author": author}
        await client.post("/v1/boards/b", json=body, headers={WRITE_ID: theirs})
    answer = await client.post("/v1/memories", json={"content": "y"}, headers={WRITE_ID: theirs})

    assert answer.status_code == 201
    assert len({UUID(theirs), *map(id_of, stack.sent)}) == 4


@pytest.mark.parametrize("given", ["", "k", str(uuid4()), "01a229d7-f0da-78ed-9299"])
async def test_what_is_no_uuid7_is_no_id_of_a_call(
    stack: Stack, client: httpx.AsyncClient, given: str
) -> None:
    """It is refused with the header's name, and nothing is stored."""
    answer = await client.post("/v1/memories", json={"content": "x"}, headers={WRITE_ID: given})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert WRITE_ID in answer.json()["detail"]
    assert stack.sent == []


@pytest.mark.parametrize("key", [None, "k", str(uuid7())])
def test_our_client_sends_both(key: str | None) -> None:
    """The key as the caller gave it, and the call's id where that tells a retry."""
    owner = Owner(1, Space.BOARD, "b")
    agent = Owner(1, Space.AGENT, "ada")
    memory = new_memory(1, "ada", "x", idempotency_key=key)
    requests = [
        http_request(new_note(agent, "x", b"1", ttl_s=None, expected_version=None, ack=Ack.DURABLE,
                              idempotency_key=key)),
        http_request(new_post(owner, "ada", EntryKind.PUBLIC, "x", b"{}", ack=Ack.DURABLE, key="k",
                              idempotency_key=key)),
        http_request(new_execute(owner, "ada", checked_model(Ask, text="why?"), ack=Ack.DURABLE,
                                 idempotency_key=key)),
    ]  # fmt: skip
    remember = http_request(Remember(memory))

    for request in (remember, *requests):
        assert request.body is not None
        assert request.body["idempotency_key"] == key
    assert remember.write_id == memory.id
    assert all((request.write_id is None) == (key is not None) for request in requests)
