"""JSON bodies: read strictly, after the token has been checked.

FastAPI's own reading takes `NaN`, lone surrogates and any depth, and parses the body before it
looks at the token; this one is a dependency, so it runs in the order of the parameters. Integers
keep their value whatever their size, so that a field's check sees what was sent: orjson would make
2**64 the float that is nearest to it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pydantic
from fastapi import Request
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from pinak_ray.records.encoded_json import MAX_LEVELS
from pinak_ray.records.errors import InvalidInput
from pinak_ray.serve.v1.models.base import Body
from pinak_ray.serve.v1.problems import InvalidFields, field_faults

__all__ = ["checked", "json_body", "takes"]

B = TypeVar("B", bound=Body)

_TOO_DEEP = f"the body is nested more than {MAX_LEVELS} levels deep; flatten it"


def json_body(model: type[B]) -> Callable[[Request], Awaitable[B]]:
    """Return the dependency that reads the body as this model.

    Malformed JSON (also NaN, a lone surrogate) is a 400, another media type a 415, what the model
    refuses a 422, and so is a depth that no field takes.
    """

    async def read(request: Request) -> B:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise HTTPException(415, "send JSON, with `Content-Type: application/json`")
        try:
            given = from_json(await request.body(), allow_inf_nan=False)
        except ValueError as error:
            if "recursion" in str(error):
                raise InvalidInput(_TOO_DEEP) from None
            raise HTTPException(400, f"the body is not JSON: {error}") from None
        return checked(model, given)

    return read


def checked(model: type[B], given: Any) -> B:
    """Return decoded JSON as this model; raises InvalidFields that lists what is wrong."""
    try:
        return model.model_validate(given)
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidFields(field_faults(found)) from None


class Taken(dict[str, Any]):
    """The `openapi_extra` of a route, and the model of its body (see `openapi.py`)."""

    def __init__(self, model: type[Body]) -> None:
        schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        content = {"application/json": {"schema": schema}}
        super().__init__(requestBody={"required": True, "content": content})
        self.model = model


def takes(model: type[Body]) -> Taken:
    """Return the `openapi_extra` of a route whose body is this model."""
    return Taken(model)
