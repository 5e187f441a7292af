"""Routes of the operations that are asked for as they are: each is made of what it declares."""

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, create_model

import pinak_ray.composed.table  # noqa: F401 - makes all operations known
from pinak_ray.records.asking import arguments, body_of, is_owned
from pinak_ray.records.forms import ID_FORM
from pinak_ray.records.wiring import WIRING, Operation, Wiring
from pinak_ray.serve.auth.callers import Caller, Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.base import Body, NameField
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathId, PathName
from pinak_ray.serve.v1.writes import UnkeyedWriter

router = APIRouter(responses=PROBLEMS)

_AGENT = Field(None, description="Who asks; the token's subject if absent.")


def _body(operation: type[Operation[Any]], names: list[str]) -> type[Body]:
    """Return the body: the arguments that are not in the path, and the agent if it is not."""
    asked = body_of(operation).model_fields
    fields: dict[str, Any] = {
        name: (one.annotation, one) for name, one in asked.items() if name not in names
    }
    if is_owned(operation) and not {"agent", "board"} & set(names):
        fields["agent"] = (NameField | None, _AGENT)
    return create_model(
        f"{operation.__name__}Body",
        __base__=Body,
        __doc__=operation.__doc__,
        __cls_kwargs__={"strict": False},
        **fields,
    )


async def _where(operation: type[Operation[Any]], caller: Caller, named: dict[str, Any]) -> Any:
    if not is_owned(operation):
        return await caller.namespace_id()
    if "board" in named:
        return await caller.board(named.pop("board"))
    return await caller.agent(named.pop("agent", None))


def _carry(
    operation: type[Operation[Any]], wiring: Wiring, names: list[str], asked: Any
) -> Callable[..., Awaitable[JsonAnswer]]:
    own = {one.name for one in arguments(operation)}
    checked = body_of(operation)

    async def carry(caller: Caller, asked: Any, **path: str) -> JsonAnswer:
        named = {**dict(asked), **path}
        where = await _where(operation, caller, named)
        made: Any = operation
        given = checked.model_validate({name: named[name] for name in own})
        answer = await caller.context.send(made(where, **dict(given)))
        status = 201 if wiring.created and answer.new else 200
        return JsonAnswer(answer if wiring.under is None else {wiring.under: answer}, status)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = {"caller": UnkeyedWriter if wiring.writes else Reader, "asked": asked}
    parameters |= {name: _path(operation, name) for name in names}
    carry.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # FastAPI reads it
        [inspect.Parameter(name, keyword, annotation=each) for name, each in parameters.items()]
    )
    return carry


def _path(operation: type[Operation[Any]], name: str) -> Any:
    field = body_of(operation).model_fields.get(name)
    return PathId if field is not None and ID_FORM in field.metadata else PathName


def _model_of_answer(operation: type[Operation[Any]], wiring: Wiring) -> Any:
    if wiring.under is None:
        return wiring.answer
    fields: dict[str, Any] = {wiring.under: (wiring.answer, ...)}
    return create_model(f"{operation.__name__}Answer", **fields)


def _add(operation: type[Operation[Any]], wiring: Wiring, route: str) -> None:
    method, path = route.split(" ")
    names = re.findall(r"{(\w+)}", path)
    body = _body(operation, names)
    reads = method == "GET"
    asked: Any = Annotated[body, Query() if reads else Depends(json_body(body))]
    answer = _model_of_answer(operation, wiring)
    router.add_api_route(
        path,
        _carry(operation, wiring, names, asked),
        methods=[method],
        tags=[str(wiring.tag)],
        summary=wiring.call.replace("_", " ").capitalize(),
        description=operation.__doc__,
        status_code=201 if wiring.created else 200,
        response_model=answer,
        responses={200: {"model": answer, "description": "Nothing is new"}}
        if wiring.created
        else None,
        openapi_extra=None if reads else takes(body),
        operation_id=wiring.call,
    )


for operation, wiring in WIRING.items():
    if wiring.tag is not None:
        for route in wiring.routes:
            _add(operation, wiring, route)
