"""The outermost ring around every request: its id, its measure, and the last resort."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinak_ray.records.ids import uuid7
from pinak_ray.serve.protocol import HttpProtocol
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["CALLER_LEFT", "Boundary"]

CALLER_LEFT = 499
"""A status that nobody hears, as nginx logs it: the caller went away."""

# Safe in a log line, in a header and as a relative URI reference (a problem's `instance`).
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# A method that we do not know would otherwise be a label of the caller's choice.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_log = structlog.get_logger()


class Boundary:
    """Pure ASGI, so that streams pass through it unbuffered.

    `names_answers`: put `X-Request-Id` on each answer, unless whoever runs the application does.
    """

    def __init__(
        self, app: ASGIApp, protocol: HttpProtocol, *, metrics: Metrics, names_answers: bool
    ) -> None:
        self._app = app
        self._protocol = protocol
        self._metrics = metrics
        self._names_answers = names_answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an unexpected exception becomes a 500 that says only its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _REQUEST_ID.fullmatch(given) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = identity
        scope.pop("route", None)  # the protocol's prefix: no route yet
        status, whole = 0, False

        async def send_named(message: Message) -> None:
            nonlocal status, whole
            whole = not message.get("more_body", False)
            if message["type"] == "http.response.start":
                whole = False
                status = message["status"]
                if self._names_answers:
                    MutableHeaders(scope=message)["X-Request-Id"] = identity
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                await self._app(scope, receive, send_named)
            except ClientDisconnect:  # before its body was whole; nobody is left to answer
                status = CALLER_LEFT
                _log.info("caller_left", route=_route(scope))
            except Exception as error:
                _log.exception("request_failed", route=_route(scope))
                if not status:
                    await self._protocol.error_form(error, scope)(scope, receive, send_named)
                elif not whole:  # half an answer is out: only a broken connection can say so
                    raise
            finally:
                self._metrics.observe_request(
                    _route(scope),
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    status=status,
                    seconds=time.perf_counter() - started,
                )


def _route(scope: Scope) -> str:
    """Return the route's template; what matched none is one label, whatever was asked for."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
