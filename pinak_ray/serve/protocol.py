"""An HTTP protocol: an application of its own, and what the rings around it ask of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from pinak_ray.records.errors import PinakError

__all__ = ["ErrorForm", "HttpProtocol", "Places", "Terms", "answer_errors", "request_id"]

ErrorForm: TypeAlias = Callable[[Exception, Scope], Response]
"""How a protocol writes an error: one of ours, the framework's, or a bug, which says nothing."""


class Places(StrEnum):
    """Whose places a request takes: none of them can keep the others out."""

    REQUESTS = "requests"
    WATCHERS = "watchers"
    """They mostly wait."""
    PROBES = "probes"
    """Probes and scrapes: answered above all when everything else is not, and without a token."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one request may take up."""

    places: Places = Places.REQUESTS
    # Every JSON text of a valid single item fits.
    max_body: int = 1 << 20


_USUAL = Terms()


@dataclass(frozen=True, slots=True)
class HttpProtocol:
    """What speaks one protocol, below paths of its own.

    Its routes have their whole paths, and `app.state.context` the gateway's AppContext.
    """

    app: ASGIApp
    error_form: ErrorForm
    prefixes: tuple[str, ...] = ()
    """Paths that are its own, with all below them; the one protocol without any has the rest."""
    terms_of: Callable[[Scope], Terms] = lambda _: _USUAL


def answer_errors(app: Starlette, form: ErrorForm) -> None:
    """Let every error of this application leave in one form."""

    async def answer(request: Request, error: Exception) -> Response:
        return form(error, request.scope)

    for kind in (PinakError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def request_id(scope: Scope) -> str:
    """Return the request's id, which the boundary has put there."""
    return str(scope["state"]["request_id"])
