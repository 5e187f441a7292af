"""The OpenAPI document: the bodies that are read by our own rules, and problems as they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from pinak_ray.serve.v1.bodies import Taken
from pinak_ray.serve.v1.models.base import Body
from pinak_ray.serve.v1.models.service import Problem
from pinak_ray.serve.v1.problems import MEDIA_TYPE

__all__ = ["PROBLEMS", "Responses", "describe"]

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_SCHEMAS = "#/components/schemas/{model}"

# The problems that a route with a token can answer; FastAPI would announce a 422 of its own form.
PROBLEMS: Responses = {
    400: {"description": "The body is not JSON"},
    401: {"description": "No token, or one that does not hold"},
    403: {"description": "The token lacks the scope"},
    413: {"description": "The body is too long"},
    422: {"description": "Bad input, or a key where none is taken; nothing was stored"},
    503: {"description": "Overloaded or unavailable; see `Retry-After`"},
}


def describe(app: FastAPI, routes: Iterable[APIRoute]) -> None:
    """Let `app.openapi()` return the whole document, with all bodies of these; built once."""
    extras = [route.openapi_extra for route in routes]
    bodies = [extra.model for extra in extras if isinstance(extra, Taken)]

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, bodies)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _document(app: FastAPI, bodies: Sequence[type[Body]]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    _, definitions = models_json_schema(
        [*((body, "validation") for body in bodies), (Problem, "serialization")],
        ref_template=_SCHEMAS,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(definitions["$defs"])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    form = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(model=Problem.__name__)}}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            responses.update(_further(path, operation))
            for status, response in responses.items():
                if status >= "400":
                    response["content"] = form
    return document


def _further(path: str, operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an operation can answer besides, by what it takes and what it is about."""
    said: Mapping[str, Any] = operation["responses"]
    found: dict[str, Any] = {}
    if "requestBody" in operation:
        found["415"] = {"description": "The body's media type is not JSON"}
    if "401" in said and ("{" in path or "requestBody" in operation):
        found["404"] = {"description": "What it names is not there"}
        found["409"] = {"description": "What it changes is another by now, or is taken"}
    if "201" in said:
        found["200"] = {**said["201"], "description": "It was stored before: nothing is new"}
    return {status: found[status] for status in sorted(found.keys() - said.keys())}
