"""From an RFC 9457 problem document back to the error that the gateway raised."""

from typing import Any
from uuid import UUID

import httpx

from pinak_ray.records import errors
from pinak_ray.records.errors import (
    Overloaded,
    PinakError,
    Superseded,
    Unavailable,
    VersionConflict,
)

__all__ = ["raise_problem", "retry_after_s"]

_BY_CODE = {
    getattr(errors, name).code: getattr(errors, name)
    for name in errors.__all__
    if getattr(errors, name) not in (VersionConflict, Superseded, Overloaded)
}


def raise_problem(answer: httpx.Response) -> None:
    """Raise the PinakError that a problem answer stands for; return if there is none."""
    if answer.is_success:
        return
    raise _error(answer)


def retry_after_s(answer: httpx.Response) -> float:
    """Return for how many seconds the gateway asks to be left alone; 0.0 where it does not say."""
    said = answer.headers.get("Retry-After", "")
    # A proxy between may send a date instead, which our own backoff serves as well.
    return float(said) if said.isdecimal() and len(said) < 10 else 0.0


def _error(answer: httpx.Response) -> PinakError:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        return Unavailable(f"the gateway answered {answer.status_code} without a reason")
    detail = str(problem.get("detail") or problem.get("title") or answer.status_code)
    code = str(problem.get("code", ""))
    if code == VersionConflict.code and {"key", "expected", "current"} <= problem.keys():
        return VersionConflict(problem["key"], problem["expected"], problem["current"])
    if code == Superseded.code and {"memory_id", "successor"} <= problem.keys():
        return Superseded(UUID(problem["memory_id"]), UUID(problem["successor"]))
    if code == Overloaded.code:
        return Overloaded(detail, retry_after_s(answer) or 1.0)
    found: type[PinakError] = _BY_CODE.get(
        code, Unavailable if answer.status_code >= 500 else errors.InvalidInput
    )
    return found(detail)
