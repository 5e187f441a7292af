"""`/v1/memories/{id}`: read, revise and forget one memory."""

from uuid import UUID, uuid4

import httpx

from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.operations import Forget, Revise
from pinak_ray.security.scopes import Scope
from tests.support.gateway_stack import Stack


async def stored(client: httpx.AsyncClient) -> str:
    """Store a memory and return its id."""
    body = {
        "content": "orders are locked",
        "layer": "episodic",
        "tags": ["db"],
        "details": {"n": 1},
    }
    return str((await client.post("/v1/memories", json=body)).json()["id"])


async def test_a_memory_is_read_with_its_history(client: httpx.AsyncClient) -> None:
    """Every field but the namespace and the vector, and what superseded it."""
    memory_id = await stored(client)
    new_id = (await client.put(f"/v1/memories/{memory_id}", json={"content": "x"})).json()["id"]
    answer = (await client.get(f"/v1/memories/{memory_id}")).json()

    assert answer["history"] == [answer["memory"]]
    assert answer["memory"] | {"occurred_at": "", "created_at": ""} == {
        "id": memory_id,
        "agent": "deployer",
        "layer": "episodic",
        "content": "orders are locked",
        "session": None,
        "details": {"n": 1},
        "tags": ["db"],
        "entities": [],
        "outcome": None,
        "salience": 0.5,
        "occurred_at": "",
        "created_at": "",
        "expires_at": None,
        "source": None,
        "written_by": None,
        "superseded_by": new_id,
        "superseded_at": None,
    }


async def test_a_revision_says_what_was_given(stack: Stack, client: httpx.AsyncClient) -> None:
    """Null and absent are as it was; a retry answers 200, another revision 409 with who won."""
    memory_id = await stored(client)
    body = {"content": "orders are open", "tags": [], "layer": None, "idempotency_key": "k"}
    first, again = [await client.put(f"/v1/memories/{memory_id}", json=body) for _ in range(2)]
    other = await client.put(f"/v1/memories/{memory_id}", json={"content": "x"})
    sent = next(operation for operation in stack.sent if isinstance(operation, Revise))
    new = stack.backend.transport.memories[UUID(first.json()["id"])]

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert sent.revision.given == {"tags"}
    assert (new.content, new.tags, new.layer) == ("orders are open", (), Layer.EPISODIC)
    problem = other.json()
    assert (problem["code"], problem["memory_id"]) == ("superseded", memory_id)
    assert problem["successor"] == first.json()["id"]


async def test_forgetting_answers_a_receipt(stack: Stack, client: httpx.AsyncClient) -> None:
    """200 either way; `new` says whether it was there."""
    memory_id = await stored(client)
    first, again = [await client.delete(f"/v1/memories/{memory_id}") for _ in range(2)]
    operation = stack.sent[-1]

    assert isinstance(operation, Forget)
    assert (operation.owner.name, str(operation.memory_id)) == ("deployer", memory_id)
    assert (first.status_code, first.json()["new"]) == (200, True)
    assert (again.status_code, again.json()["new"]) == (200, False)


async def test_what_is_refused(stack: Stack, client: httpx.AsyncClient) -> None:
    """No id is 422, an unknown one 404, and each method asks for its scope."""
    path = f"/v1/memories/{uuid4()}"
    statuses = [
        (await client.get("/v1/memories/x")).status_code,
        (await client.put("/v1/memories/x", json={"content": "x"})).status_code,
        (await client.delete("/v1/memories/x")).status_code,
        (await client.get(path)).status_code,
        (await client.put(path, json={"content": "x"})).status_code,
    ]
    async with stack.client(scopes=[Scope.READ]) as reader:
        forbidden = [
            (await reader.put(path, json={"content": "x"})).status_code,
            (await reader.delete(path)).status_code,
        ]
    memory_id = await stored(client)
    async with stack.client(namespace=NamespaceKey("acme", "other")) as stranger:
        assert (await stranger.get(f"/v1/memories/{memory_id}")).status_code == 404

    assert statuses == [422, 422, 422, 404, 404]
    assert forbidden == [403, 403]
