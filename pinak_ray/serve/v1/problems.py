"""Problem documents (RFC 9457): every error of version 1 leaves in this one form.

`code` is stable and for programs, `detail` is for people, `instance` is the request's id. Neither
a stack trace nor the caller's input is ever in one.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from pinak_ray.records.errors import (
    InvalidInput,
    Overloaded,
    PinakError,
    Superseded,
    Unauthorized,
    Unavailable,
    VersionConflict,
)
from pinak_ray.serve.protocol import request_id

__all__ = [
    "MEDIA_TYPE",
    "InvalidFields",
    "answer_problem",
    "field_faults",
    "problem",
    "problem_body",
    "problem_of",
    "request_id",
]

MEDIA_TYPE = "application/problem+json"

# A fault may quote a name that the caller sent; these keep the answer short whatever that was.
_MAX_DETAIL = 1_000
_MAX_FAULTS = 20
_MAX_FIELD = 64

_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    503: "overloaded",
}
_DETAILS = {
    404: "there is nothing at this path; /openapi.json lists what there is",
    405: "this path does not take that method",
}


class InvalidFields(InvalidInput):
    """Fields of the request break the contract; nothing was stored."""

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(f"{fault['field']}: {fault['problem']}" for fault in self.faults)


def field_faults(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return pydantic's errors as field and problem, without the input that pydantic quotes."""
    faults = []
    for error in list(errors)[:_MAX_FAULTS]:
        field = ".".join(str(part)[:_MAX_FIELD] for part in error["loc"])
        faults.append({"field": field or "body", "problem": str(error["msg"])})
    return faults


def problem_body(
    status: int, code: str, detail: str, *, instance: str, **more: Any
) -> dict[str, Any]:
    """Return the members of a problem document."""
    return {
        "type": f"urn:pinak-ray:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail[:_MAX_DETAIL],
        "code": code,
        "instance": instance,
        **more,
    }


def problem_of(error: PinakError, *, instance: str) -> dict[str, Any]:
    """Return the problem document of one of our errors."""
    more: dict[str, Any] = {}
    if isinstance(error, InvalidFields):
        more = {"errors": error.faults}
    elif isinstance(error, VersionConflict):
        more = {"key": error.key, "expected": error.expected, "current": error.current}
    elif isinstance(error, Superseded):
        more = {"memory_id": error.memory_id, "successor": error.successor}
    return problem_body(error.status, error.code, str(error), instance=instance, **more)


def problem(body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that carries a problem document."""
    try:
        content = orjson.dumps(body)
    except TypeError:  # a quoted name with a lone surrogate, which UTF-8 cannot hold
        content = orjson.dumps({**body, "detail": "the request is not valid", "errors": []})
    return Response(
        content,
        status_code=body["status"],
        media_type=MEDIA_TYPE,
        headers=None if headers is None else dict(headers),
    )


def _headers_of(error: PinakError) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="pinak-ray"'}
    if isinstance(error, Overloaded):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    if isinstance(error, Unavailable):
        return {"Retry-After": "1"}
    return {}


def answer_problem(error: Exception, scope: Scope) -> Response:
    """Return the response that an error leaves as; of a bug it says nothing."""
    instance = request_id(scope)
    match error:
        case PinakError():
            return problem(problem_of(error, instance=instance), headers=_headers_of(error))
        case RequestValidationError():
            fields = InvalidFields(field_faults(error.errors()))
            return problem(problem_of(fields, instance=instance))
        case HTTPException():
            return _answer_http_error(error, scope, instance)
        case _:
            detail = "an unexpected error; the logs have it under this request's id"
            return problem(problem_body(500, "internal", detail, instance=instance))


def _answer_http_error(error: HTTPException, scope: Scope, instance: str) -> Response:
    status = error.status_code
    code = _CODES.get(status, "http_error")
    body = problem_body(status, code, _DETAILS.get(status, error.detail), instance=instance)
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_methods_of_path(scope))
    return problem(body, headers=headers)


def _methods_of_path(scope: Scope) -> list[str]:
    """Return the methods of all routes of this path; the framework names those of the first."""
    routes: list[BaseRoute] = scope["app"].routes
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
