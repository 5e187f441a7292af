"""How many requests one gateway takes on, of all and of each namespace; the rest hear 503."""

import re
from collections.abc import Hashable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pinak_ray.concurrency.shares import Shares
from pinak_ray.records.errors import Overloaded, PinakError
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.problems import problem_answer, request_id
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["MAX_REQUESTS", "MAX_WATCHERS", "RequestLimit", "namespace_of"]

MAX_REQUESTS = 1_024
"""At once, in one replica: each may wait for its deadline (`serve.context.Deadlines`)."""

MAX_WATCHERS = 2_048
"""At once, in one replica: they mostly wait, and must not keep the other requests out."""

_WATCH = re.compile(r"/v1/(boards|agents)/[^/]+/watch")

# Probes and scrapes must be answered above all when everything else is not: they have places of
# their own, each path a share.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_MAX_PROBES = 96


class RequestLimit:
    """Refuses at once, before the body is looked at: waiting would be a queue.

    One namespace takes as many places as are free then, alone half of them: whatever it does,
    another one finds some. Callers without a token that holds share as one namespace does.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyCache,
        metrics: Metrics,
        max_requests: int = MAX_REQUESTS,
        max_watchers: int = MAX_WATCHERS,
    ) -> None:
        self._app = app
        self._keys = keys
        self._metrics = metrics
        self._requests = Shares(max_requests)
        self._watchers = Shares(max_watchers)
        self._probes = Shares(_MAX_PROBES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request if there is room for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] in _PROBES:
            await self._serve(self._probes, "probes", scope["path"], scope, receive, send)
            return
        whose = scope.setdefault("state", {})["namespace"] = await self._whose(scope)
        if _WATCH.fullmatch(scope["path"]):
            places, kind = self._watchers, "watchers"
        else:
            places, kind = self._requests, "requests"
        await self._serve(places, kind, whose, scope, receive, send)

    async def _serve(
        self, places: Shares, kind: str, whose: Hashable, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if not places.take(whose):
            error = Overloaded(f"{places.taken} {kind} are served by this gateway, its limit", 1.0)
            await problem_answer(error, instance=request_id(scope))(scope, receive, send)
            return
        self._metrics.set_queue_depth(kind, places.taken)
        try:
            await self._app(scope, receive, send)
        finally:
            places.give(whose)
            self._metrics.set_queue_depth(kind, places.taken)

    async def _whose(self, scope: Scope) -> NamespaceKey | None:
        """Return the token's namespace; the route says what is wrong with one that has none."""
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return (await self._keys.principal(token.strip())).namespace
        except PinakError:
            return None


def namespace_of(scope: Scope) -> NamespaceKey | None:
    """Return the namespace that this request counts for."""
    found: NamespaceKey | None = scope["state"].get("namespace")
    return found
