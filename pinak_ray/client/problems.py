"""From an RFC 9457 problem document back to the error that the gateway raised."""

from typing import Any

import httpx

from pinak_ray.records import errors
from pinak_ray.records.errors import Overloaded, PinakError, Unavailable, VersionConflict

__all__ = ["raise_problem"]

_BY_CODE = {
    getattr(errors, name).code: getattr(errors, name)
    for name in errors.__all__
    if getattr(errors, name) not in (VersionConflict, Overloaded)
}


def raise_problem(answer: httpx.Response) -> None:
    """Raise the PinakError that a problem answer stands for; return if there is none."""
    if answer.is_success:
        return
    raise _error(answer)


def _error(answer: httpx.Response) -> PinakError:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        return Unavailable(f"the gateway answered {answer.status_code} without a reason")
    detail = str(problem.get("detail") or problem.get("title") or answer.status_code)
    code = str(problem.get("code", ""))
    if code == VersionConflict.code and {"key", "expected", "current"} <= problem.keys():
        return VersionConflict(problem["key"], problem["expected"], problem["current"])
    if code == Overloaded.code:
        return Overloaded(detail, float(answer.headers.get("Retry-After", 1)))
    found: type[PinakError] = _BY_CODE.get(
        code, Unavailable if answer.status_code >= 500 else errors.InvalidInput
    )
    return found(detail)
