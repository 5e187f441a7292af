"""`/v1/memories/{id}/links`: what is sent becomes the operation, and what is wrong is refused."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from pinak_ray.records.memory.links import LinkChange, LinkKind, RelatedRequest
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import ChangeLink, ReadRelated
from pinak_ray.security.scopes import Scope
from tests.support.gateway_stack import NOWHERE, Stack

ONE, TWO = UUID(int=1), UUID(int=2)
PATH = f"/v1/memories/{ONE}/links"


async def test_a_link_is_made_by_the_subject(stack: Stack, client: httpx.AsyncClient) -> None:
    """The first answers 201, the same again 200; an author may be named."""
    body = {"to": str(TWO), "kind": "caused_by", "strength": 0.5}
    first = await client.post(PATH, json=body)
    again = await client.post(PATH, json=body, params={"ack": "searchable"})
    other = await client.post(PATH, json={"to": str(TWO), "agent": "bob"})

    change = LinkChange(1, ONE, TWO, LinkKind.CAUSED_BY, 0.5, "deployer")
    assert stack.sent[:2] == [ChangeLink(change), ChangeLink(change, Ack.SEARCHABLE)]
    assert (first.status_code, first.json()["id"]) == (201, str(change.id))
    assert again.json()["ack"] == "searchable"
    assert other.status_code == 201
    assert stack.sent[2].change == LinkChange(1, ONE, TWO, LinkKind.REFERS_TO, 1.0, "bob")
    assert (await client.post(PATH, json=body)).status_code == 200


async def test_a_link_is_removed(stack: Stack, client: httpx.AsyncClient) -> None:
    """By its kind; twice is no error."""
    answers = [await client.delete(f"{PATH}/{TWO}?kind=fixes") for _ in range(2)]

    change = LinkChange(1, ONE, TWO, LinkKind.FIXES, None, "deployer")
    assert stack.sent == [ChangeLink(change)] * 2
    assert [(a.status_code, a.json()["new"]) for a in answers] == [(200, True), (200, False)]


async def test_links_are_followed(stack: Stack, client: httpx.AsyncClient) -> None:
    """Bounds arrive as they were sent; hits come with strength, depth and link."""
    await client.post("/v1/memories", json={"content": "x"})
    answer = await client.get(
        PATH, params={"depth": 3, "min_strength": 0.2, "kind": ["fixes", "answers"], "k": 7}
    )
    kinds = (LinkKind.FIXES, LinkKind.ANSWERS)
    (found,) = answer.json()["related"]

    assert stack.sent[-1] == ReadRelated(1, RelatedRequest(ONE, 3, 0.2, kinds, 7))
    assert (found["hit"]["content"], found["strength"], found["depth"]) == ("x", 0.5, 1)
    assert (found["link"]["from_id"], found["link"]["kind"]) == (str(ONE), "fixes")
    assert (found["link"]["author"], found["link"]["to_id"]) == (None, found["hit"]["id"])


BAD: list[tuple[str, str, Any]] = [
    ("POST", PATH, {"to": str(ONE)}),
    ("POST", PATH, {"to": "two"}),
    ("POST", PATH, {"to": str(TWO), "kind": "loves"}),
    ("POST", PATH, {"to": str(TWO), "strength": 0}),
    ("POST", PATH, {"to": str(TWO), "more": 1}),
    ("POST", "/v1/memories/one/links", {"to": str(TWO)}),
    ("DELETE", f"{PATH}/{ONE}", None),
    ("DELETE", f"{PATH}/{TWO}?kind=loves", None),
    ("GET", f"{PATH}?depth=5", None),
    ("GET", f"{PATH}?kind=loves", None),
    ("GET", "/v1/memories/one/links", None),
    ("POST", "/v1/recall", {"query": "x", "expand": 5}),
]


@pytest.mark.parametrize(("method", "path", "body"), BAD)
async def test_bad_links_are_refused(
    stack: Stack, client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    """A 422 problem, and nothing is sent."""
    answer = await client.request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"], stack.sent) == (422, "invalid_input", [])


async def test_an_unknown_memory_is_a_404(client: httpx.AsyncClient) -> None:
    """The stack's NotFound is the answer."""
    answer = await client.post(PATH, json={"to": str(NOWHERE)})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_links_ask_for_their_scopes(stack: Stack) -> None:
    """Who may read follows links and makes none; who may write makes them and follows none."""
    async with stack.client(scopes=[Scope.READ]) as reader:
        answers = [
            await reader.get(PATH),
            await reader.post(PATH, json={"to": str(uuid4())}),
            await reader.delete(f"{PATH}/{TWO}"),
        ]
    async with stack.client(scopes=[Scope.WRITE]) as writer:
        answers.append(await writer.get(PATH))

    assert [answer.status_code for answer in answers] == [200, 403, 403, 403]
