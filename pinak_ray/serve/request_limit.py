"""How much one gateway takes on: so many requests, so many bytes of bodies; the rest hear 503."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pinak_ray.records.errors import Overloaded
from pinak_ray.serve.problems import problem_answer, request_id
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["MAX_REQUESTS", "MAX_WATCHERS", "RequestLimit"]

MAX_REQUESTS = 512
"""At once, in one replica: each may wait for up to its deadline, 30 s for a write."""

MAX_WATCHERS = 1_024
"""At once, in one replica: they mostly wait, and must not keep the other requests out."""

_WATCH = re.compile(r"/v1/(boards|agents)/[^/]+/watch")

# Serve reads each body into memory as soon as the request is there, whoever sent it.
MAX_BODY_BYTES = 64 << 20
# Probes and scrapes must be answered above all when everything else is not.
_ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestLimit:
    """Refuses at once, before the token and the body are looked at: waiting would be a queue.

    A body counts by its announced length, and without one as `unannounced` bytes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        unannounced: int,
        max_requests: int = MAX_REQUESTS,
        max_watchers: int = MAX_WATCHERS,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._unannounced = unannounced
        self._max_requests = max_requests
        self._max_watchers = max_watchers
        self._requests = 0
        self._watchers = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request if there is room for it."""
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        if _WATCH.fullmatch(scope["path"]):
            await self._serve_watcher(scope, receive, send)
            return
        size = self._size(scope)
        if self._requests >= self._max_requests:
            await _refuse(f"{self._requests} requests are being answered", scope, receive, send)
        elif self._bytes and self._bytes + size > MAX_BODY_BYTES:
            await _refuse(f"bodies of {self._bytes} bytes are held", scope, receive, send)
        else:
            await self._serve(size, scope, receive, send)

    async def _serve_watcher(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._watchers >= self._max_watchers:
            await _refuse(f"{self._watchers} watchers are served", scope, receive, send)
            return
        self._watchers += 1
        self._metrics.set_queue_depth("watchers", self._watchers)
        try:
            await self._app(scope, receive, send)
        finally:
            self._watchers -= 1
            self._metrics.set_queue_depth("watchers", self._watchers)

    async def _serve(self, size: int, scope: Scope, receive: Receive, send: Send) -> None:
        self._count(1, size)
        try:
            await self._app(scope, receive, send)
        finally:
            self._count(-1, -size)

    def _count(self, requests: int, size: int) -> None:
        self._requests += requests
        self._bytes += size
        self._metrics.set_queue_depth("requests", self._requests)

    def _size(self, scope: Scope) -> int:
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 19:
            return int(announced)
        return self._unannounced if "transfer-encoding" in headers else 0


async def _refuse(full: str, scope: Scope, receive: Receive, send: Send) -> None:
    error = Overloaded(f"{full} by this gateway, its limit", 1.0)
    await problem_answer(error, instance=request_id(scope))(scope, receive, send)
