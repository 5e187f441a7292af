"""Routes of the operations that are asked for as they are: each is made of what it declares."""

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

import pinak_ray.composed.table  # noqa: F401 - makes all operations known
from pinak_ray.records.asking import body_of, is_owned
from pinak_ray.records.commands import checked_model
from pinak_ray.records.forms import ID_FORM
from pinak_ray.records.wiring import WIRING, Operation, Wiring
from pinak_ray.serve.auth.callers import Caller, Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.base import Body, NameField, body_with
from pinak_ray.serve.v1.openapi import PROBLEMS, Responses
from pinak_ray.serve.v1.paths import PathId, PathName
from pinak_ray.serve.v1.writes import UnkeyedWriter

router = APIRouter(responses=PROBLEMS)

_AGENT = NameField | None, Field(None, description="Who asks; the token's subject if absent.")


def _body(operation: type[Operation[Any]], names: list[str]) -> type[Body]:
    """Return the body: the arguments that are not in the path, and the agent if it is not."""
    fields = {
        name: one for name, one in body_of(operation).model_fields.items() if name not in names
    }
    speaks = is_owned(operation) and not {"agent", "board"} & set(names)
    agent = {"agent": _AGENT} if speaks else {}
    return body_with(Body, f"{operation.__name__}Body", operation.__doc__, fields, **agent)


async def _where(operation: type[Operation[Any]], caller: Caller, named: dict[str, Any]) -> Any:
    if not is_owned(operation):
        return await caller.namespace_id()
    if "board" in named:
        return await caller.board(named.pop("board"))
    return await caller.agent(named.pop("agent", None))


def _carry(
    operation: type[Operation[Any]], wiring: Wiring, names: list[str], body: type[Body]
) -> Callable[..., Awaitable[JsonAnswer]]:
    make: Callable[..., Operation[Any]] = operation
    in_path = body_of(operation, frozenset(names))

    async def carry(caller: Caller, asked: Body, **path: str) -> JsonAnswer:
        named = {**dict(asked), **path}
        where = await _where(operation, caller, named)
        # What the body brought is checked already.
        checked = checked_model(in_path, **{name: named[name] for name in in_path.model_fields})
        answer: Any = await caller.context.send(make(where, **{**named, **dict(checked)}))
        return JsonAnswer(answer, 201 if wiring.created and answer.new else 200)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters: dict[str, Any] = {
        "caller": UnkeyedWriter if wiring.writes else Reader,
        "asked": Annotated[body, Depends(json_body(body))],
    }
    parameters |= {name: _path(operation, name) for name in names}
    carry.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # FastAPI reads it
        [inspect.Parameter(name, keyword, annotation=each) for name, each in parameters.items()]
    )
    return carry


def _path(operation: type[Operation[Any]], name: str) -> Any:
    field = body_of(operation).model_fields.get(name)
    return PathId if field is not None and ID_FORM in field.metadata else PathName


def _add(operation: type[Operation[Any]], wiring: Wiring, route: str) -> None:
    method, path = route.split(" ")
    names = re.findall(r"{(\w+)}", path)
    body = _body(operation, names)
    repeated: Responses = {200: {"model": wiring.answer, "description": "Nothing is new"}}
    router.add_api_route(
        path,
        _carry(operation, wiring, names, body),
        methods=[method],
        tags=[str(wiring.tag)],
        summary=wiring.call.replace("_", " ").capitalize(),
        description=operation.__doc__,
        status_code=201 if wiring.created else 200,
        response_model=wiring.answer,
        responses=repeated if wiring.created else None,
        openapi_extra=takes(body),
        operation_id=wiring.call,
    )


for operation, wiring in WIRING.items():
    if wiring.tag is not None:
        for route in wiring.routes:
            _add(operation, wiring, route)
