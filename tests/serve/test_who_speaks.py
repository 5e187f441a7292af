"""Who speaks over HTTP is the token's subject: on every route that names an agent or an author."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pinak_ray import serve
from pinak_ray.security.scopes import Scope
from pinak_ray.testing import LocalSwarm
from tests.support.gateway_stack import HOME, Stack

PLAIN = (Scope.READ, Scope.WRITE)
SPEAKERS = {"agent", "author"}
# They choose or address others; what they name says and does nothing.
OTHERS = {"agents", "to", "subject", "reader"}
LIKE_A_NAME = re.compile(
    r"agent|author|speaker|owner|reader|holder|voice|subject|\bwho|taken|^(by|to|from|as)$"
)
ID, OTHER_ID = (f"0198f3a2-7c1e-7000-8000-00000000000{n}" for n in (1, 2))
# What the schema alone does not tell of a valid body.
GIVEN: dict[str, Any] = {
    "memory_ids": [ID], "expected_version": None, "to": OTHER_ID, "second": OTHER_ID, "k": 1,
    "vector": None, "details": {}, "after_seq": 0, "source_url": None, "source_title": None,
    "occurred_at": None, "query": "x", "called": "x",
}  # fmt: skip


class Route(NamedTuple):
    """One operation that names somebody, and by what: a path, or a field of its body."""

    method: str
    path: str
    field: str
    body: dict[str, Any] | None
    query: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.field}"


DOCUMENT = Stack().document


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without its reference, the first of several that is not null."""
    while True:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        else:
            return schema


def a_value(name: str, schema: dict[str, Any]) -> Any:
    """Return what the schema takes."""
    if name in GIVEN:
        return GIVEN[name]
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") in {"uuid", "uuid7"}:
        return ID
    match schema.get("type"):
        case "object":
            return a_body(schema)
        case "array":
            return [a_value("", schema["items"])] * max(schema.get("minItems", 0), 1)
        case "number" | "integer":
            return schema.get("minimum", 1) or 0
        case "boolean":
            return True
    return "x"


def a_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a body of the fields that have to be there."""
    schema = resolved(schema)
    required = schema.get("required", ())
    if schema.get("title") in {"PostBody", "EntryBody"}:
        kind = {"PostBody": "finding", "EntryBody": "observation"}[schema["title"]]
        return {"kind": kind, "content": "x"}
    return {name: a_value(name, schema["properties"][name]) for name in required}


def operations() -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any] | None]]:
    """Yield method, path, query and body schema of every operation."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            query = {
                each["name"]: a_value(each["name"], each["schema"])
                for each in operation.get("parameters", ())
                if each["in"] == "query" and each.get("required")
            }
            content = operation.get("requestBody", {}).get("content", {})
            if path.endswith("/watch"):
                query["wait_s"] = 0
            yield method.upper(), path, query, content.get("application/json", {}).get("schema")


def routes() -> Iterator[Route]:
    """Yield each route and field that names who speaks."""
    for method, path, query, schema in operations():
        body = None if schema is None else a_body(schema)
        if path.startswith("/v1/agents/"):
            yield Route(method, path, "path", body, query)
        for field in SPEAKERS & set(resolved(schema or {}).get("properties", {})):
            yield Route(method, path, field, body, query)
        if path == "/v1/memories/batch":
            yield Route(method, path, "memories", body, query)


ROUTES = list(routes())


def names(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the names of a body's fields, and of those of its items."""
    for name, field in resolved(schema).get("properties", {}).items():
        yield name
        items = resolved(field).get("items")
        yield from names(items) if items is not None and name != "edges" else ()


def test_every_field_that_may_name_somebody_is_known() -> None:
    """A new route cannot forget the rule: whatever looks like a name is a speaker, or is none."""
    found = set()
    for _, path, _, schema in operations():
        found.update(names(schema or {}))
        for methods in DOCUMENT["paths"][path].values():
            found.update(each["name"] for each in methods.get("parameters", ()))
    assert {name for name in found if LIKE_A_NAME.search(name)} == SPEAKERS | OTHERS


def test_no_route_reads_a_name_by_itself() -> None:
    """An agent's address and an author's name come from the caller, which has the rule."""
    for file in (Path(serve.__file__).parent / "v1" / "routes").glob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert not re.search(r"principal\.subject|Owner\(|Space\.AGENT,", source), file.name
        for use in re.findall(r".*\b(?:body|item)\.(?:agent|author)\b.*", source):
            assert "caller." in use, f"{file.name}: {use}"


async def asked(stack: Stack, route: Route, name: str, *scopes: Scope) -> tuple[int, Any]:
    """Send the route's request in somebody's name; return status and body, or an item's."""
    path = re.sub(r"\{(name|agent)\}", name, route.path) if route.field == "path" else route.path
    path = re.sub(r"\{(nudge_id|memory_id|template|to)\}", ID, path)
    path = re.sub(r"\{\w+\}", "x", path)
    body = route.body
    if route.field == "memories":
        body = {"memories": [{"content": "x", "agent": name}]}
    elif body is not None and route.field != "path":
        body = {**body, route.field: name}
    async with stack.client(subject="ada", scopes=scopes) as client:
        answer = await client.request(route.method, path, params=route.query, json=body)
    found = answer.json()
    if route.field == "memories":
        (found,) = found["results"]
        return int(found["status"]), found.get("problem", found)
    return answer.status_code, found


def forbidden(found: Any) -> bool:
    """Tell whether an answer says that the token may not speak for this one."""
    return found.get("code") == "forbidden" and Scope.AGENTS in found["detail"]


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_a_token_speaks_for_its_subject(stack: Stack, route: Route) -> None:
    """Another name is refused and nothing is sent; its own, and any with the scope, is taken."""
    status, found = await asked(stack, route, "eve", *PLAIN)
    assert (status, forbidden(found)) == (403, True), found
    assert stack.sent == []

    stack.backend.transport = LocalSwarm(*HOME).transport  # type: ignore[assignment]
    for name, scopes in (("ada", PLAIN), ("eve", (*PLAIN, Scope.AGENTS))):
        status, found = await asked(stack, route, name, *scopes)
        assert status in {200, 201, 404, 409}, found


def test_all_kinds_of_routes_are_among_them() -> None:
    """The table is not empty for want of a schema."""
    asked = {str(route) for route in ROUTES}
    assert len(asked) >= 60
    for known in (
        "POST /v1/memories agent", "POST /v1/memories/batch memories", "POST /v1/nudges agent",
        "POST /v1/nudges/{nudge_id}/feedback agent", "POST /v1/recall/grade agent",
        "PUT /v1/agents/{agent}/working/{key} path", "GET /v1/agents/{agent}/context path",
        "POST /v1/boards/{board} author", "POST /v1/boards/{name}/claim author",
        "POST /v1/boards/{board}/promote author", "GET /v1/agents/{agent}/watch path",
    ):  # fmt: skip
        assert known in asked


async def test_one_subject_is_one_voice(stack: Stack) -> None:
    """Under however many names: what it says against a warning lowers it and no more."""
    swarm = LocalSwarm(*HOME)
    stack.backend.transport = swarm.transport  # type: ignore[assignment]
    failure = await swarm.agent("ops").remember(
        "dropping the orders table in production deleted a day of sales", outcome="failure"
    )
    path = f"/v1/nudges/{failure.id}/feedback"

    async def told() -> int:
        intend = swarm.agent("deployer").intend
        return len(await intend("drop the orders table in production", repeat=True))

    async with stack.client(subject="mallory", scopes=(*PLAIN, Scope.AGENTS)) as mallory:
        for name in ("one", "two", "three", "four"):
            said = {"verdict": "not_useful", "agent": name}
            assert (await mallory.post(path, json=said)).status_code == 201
    assert await told() == 1
    for subject in ("eve", "bob"):
        async with stack.client(subject=subject, scopes=PLAIN) as other:
            await other.post(path, json={"verdict": "not_useful"})
    assert await told() == 0


async def test_no_voice_takes_the_place_of_another(stack: Stack) -> None:
    """What one subject says in an agent's name stands beside what the agent said itself."""
    swarm = LocalSwarm(*HOME)
    stack.backend.transport = swarm.transport  # type: ignore[assignment]
    failure = await swarm.agent("ops").remember("dropping orders failed", outcome="failure")
    assert (await swarm.agent("deployer").feedback(failure.id, "useful")).new
    async with stack.client(subject="mallory", scopes=(*PLAIN, Scope.AGENTS)) as mallory:
        said = {"verdict": "not_useful", "agent": "deployer"}
        answer = await mallory.post(f"/v1/nudges/{failure.id}/feedback", json=said)
    assert (answer.status_code, answer.json()["new"]) == (201, True)
    assert not (await swarm.agent("deployer").feedback(failure.id, "useful")).new


async def test_who_may_only_read_is_answered_and_not_recorded(stack: Stack) -> None:
    """No intent, no cool-down used up: the agent itself hears the warning afterwards."""
    swarm = LocalSwarm(*HOME)
    stack.backend.transport = swarm.transport  # type: ignore[assignment]
    await swarm.agent("ops").remember(
        "dropping the orders table in production deleted a day of sales", outcome="failure"
    )
    intend = {"intent": "drop the orders table in production", "agent": "deployer"}
    async with stack.client(subject="snoop", scopes=(Scope.READ, Scope.AGENTS)) as snoop:
        for _ in range(2):
            assert len((await snoop.post("/v1/nudges", json=intend)).json()["nudges"]) == 1
    async with stack.client(subject="deployer", scopes=PLAIN) as deployer:
        items = await deployer.get("/v1/agents/deployer/working")
        told = [(await deployer.post("/v1/nudges", json=intend)).json()["nudges"] for _ in range(2)]
        noted = await deployer.get("/v1/agents/deployer/context")
    assert items.json()["items"] == []
    assert [len(each) for each in told] == [1, 0]
    assert "intent: drop the orders table" in noted.json()["text"]


async def test_a_memory_says_who_stored_it(stack: Stack) -> None:
    """The subject, where it speaks for another agent; an agent that speaks for itself is known."""
    swarm = LocalSwarm(*HOME)
    stack.backend.transport = swarm.transport  # type: ignore[assignment]
    async with stack.client(subject="ops", scopes=[*PLAIN, Scope.AGENTS]) as client:
        for agent in ("ops", "ada"):
            body = {"content": f"{agent} was here", "agent": agent}
            (await client.post("/v1/memories", json=body)).raise_for_status()
        found = await swarm.agent("ada").recall("was here")
        read = await client.post(
            "/v1/memories/get", json={"memory_ids": [str(hit.id) for hit in found.hits]}
        )
    told = {one["agent"]: one["written_by"] for one in read.json()["memories"]}
    assert told == {"ops": None, "ada": "ops"}
