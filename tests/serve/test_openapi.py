"""The OpenAPI document teaches what the gateway takes and answers."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import check_name
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.state.owners import Entry, WorkingItem
from pinak_ray.serve.v1.models import curation, links, memories, recall, state
from tests.support.gateway_stack import Stack

PUBLIC = {"/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"}


@pytest.fixture
def document(stack: Stack) -> dict[str, Any]:
    """The gateway's document."""
    return stack.document


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (path, method, operation) of everything in the document."""
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def references(value: Any) -> set[str]:
    """Return every $ref below a value."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*map(references, value))
    return set()


async def test_it_is_served(stack: Stack, document: dict[str, Any]) -> None:
    """Anyone can read it."""
    async with stack.client("") as client:
        response: httpx.Response = await client.get("/openapi.json")
    assert response.json() == document


async def test_the_reference_page_runs_and_loads_nothing(
    stack: Stack, document: dict[str, Any]
) -> None:
    """Tokens are safe where `/docs` is open: there is no script, and no address of another host."""
    async with stack.client("") as client:
        page = await client.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert all(f"{method.upper()} {path}" in page.text for path, method, _ in operations(document))
    for loads in ("<script", "src=", "http:", "https:", "url("):
        assert loads not in page.text.lower()


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """No schema is named that is not there."""
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """Each has a tag that is explained, a summary and a description."""
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        assert set(operation["tags"]) <= tags, path
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)


def test_every_body_is_described(document: dict[str, Any]) -> None:
    """Each write names the schema of its body, which takes no unknown field."""
    for path, method, operation in operations(document):
        if method in {"post", "put"}:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            name = schema["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][name]["additionalProperties"] is False, path


def test_everything_but_operations_asks_for_a_token(document: dict[str, Any]) -> None:
    """Only probes, metrics and public keys go without a token."""
    open_paths = {
        path for path, _, operation in operations(document) if "security" not in operation
    }
    assert open_paths == PUBLIC


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    """Clients are told the one form of every error."""
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (path, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_what_else_is_answered_is_said(document: dict[str, Any]) -> None:
    """A repeat, a wrong form, a thing that is gone or changed: no answer comes as a surprise."""
    for path, method, operation in operations(document):
        answers = set(operation["responses"])
        assert "201" not in answers or "200" in answers, (method, path)
        if "requestBody" in operation:
            assert answers >= {"404", "409", "415"}, (method, path)
        if "{" in path:
            assert answers >= {"404", "409"}, (method, path)


def texts(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, schema) of each text that a schema takes."""
    for one in (*schema.get("anyOf", ()), schema.get("items")):
        if one is not None:
            yield from texts(one, where)
    for name, one in schema.get("properties", {}).items():
        yield from texts(one, f"{where}:{name}")
    if schema.get("type") == "string" and not schema.keys() & {"enum", "const"}:
        yield where, schema


def given_texts(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, schema) of each text that a caller gives."""
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        for given in operation.get("parameters", ()):
            yield from texts(given["schema"], f"{method} {path} {given['in']}:{given['name']}")
        if "requestBody" in operation:
            form = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            yield from texts(schemas[form.rpartition("/")[2]], f"{method} {path} body")


def taken(schema: dict[str, Any], text: str) -> bool:
    """Tell whether a text is of this form, but for its `format`."""
    return (
        schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text))
        and re.search(schema.get("pattern", ""), text) is not None
    )


def test_the_form_of_each_text_is_said(document: dict[str, Any]) -> None:
    """An empty text is refused by the schema too, and so is what is no id, name or moment."""
    free = {"last-event-id", "type"}  # none is as good as an empty one
    found = [
        (where, schema)
        for where, schema in given_texts(document)
        if where.rpartition(":")[2] not in free
    ]
    assert len(found) > 200
    for where, schema in found:
        assert "format" in schema or not taken(schema, ""), where
        if where.endswith(("_id}", "path:memory_id", "path:to", "path:template", "body:to")):
            assert schema.get("format") == "uuid" or where.endswith("/tell body:to"), where


@pytest.mark.parametrize("name", [" x", "x ", "a\tb", "\x1b[2J", "a\u200bb", "x" * 257, "\u2028"])
def test_what_is_no_name_is_none_by_the_schema(document: dict[str, Any], name: str) -> None:
    """Blanks at the ends, what cannot be seen, and what is too long."""
    names = [
        (w, s) for w, s in given_texts(document) if w.endswith((":agent", ":author", ":board"))
    ]
    assert len(names) > 20
    for where, schema in names:
        assert not taken(schema, name), where
        assert all(taken(schema, given) for given in ("a", "Zoë", "two words", "x" * 256)), where
    with pytest.raises(InvalidInput):
        check_name("name", name)


async def test_a_wrong_method_hears_all_right_ones(stack: Stack, document: dict[str, Any]) -> None:
    """`Allow` names the methods of every route of the path, not of the first one."""
    async with stack.client("") as client:
        for path, methods in document["paths"].items():
            answer = await client.request("TRACE", path.replace("{", "").replace("}", ""))
            assert answer.status_code == 405, path
            assert set(answer.headers["allow"].lower().split(", ")) >= set(methods), path


def test_examples_hold() -> None:
    """Every example in the document is accepted."""
    bodies: list[type[BaseModel]] = [
        memories.MemoryItem,
        memories.RememberBody,
        memories.ReviseBody,
        links.LinkBody,
        recall.RecallBody,
        recall.IntendBody,
        recall.FeedbackBody,
        curation.CurateBody,
        state.NoteBody,
        state.EntryBody,
        state.PostBody,
    ]
    for body in bodies:
        for example in body.model_json_schema()["examples"]:
            assert body.model_validate(example)


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        (memories.ReceiptAnswer, Receipt),
        (state.EntryAnswer, Entry),
        (state.WorkingItemAnswer, WorkingItem),
    ],
)
def test_answers_have_the_fields_of_the_records(answer: type[BaseModel], record: Any) -> None:
    """An answer is written from its record: what is documented is what is sent."""
    renamed = {"encoded": "value", "encoded_details": "details"}
    own = {"operation_id", "spent_keys"}  # the stack's
    names = [renamed.get(name, name) for name in record._fields if name not in own]
    assert list(answer.model_fields) == names
