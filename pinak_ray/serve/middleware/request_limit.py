"""How many requests one gateway takes on, of all and of each namespace; the rest hear 503."""

from collections.abc import Hashable, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pinak_ray.concurrency.shares import Shares
from pinak_ray.records.errors import Overloaded, PinakError
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.protocol import HttpProtocol, Places, Terms
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["RequestLimit", "namespace_of", "terms_of"]


class RequestLimit:
    """Refuses at once, before the body is looked at: waiting would be a queue.

    One namespace takes as many places as are free then, alone half of them: whatever it does,
    another one finds some. Callers without a token that holds share as one namespace does.
    """

    def __init__(
        self,
        app: ASGIApp,
        protocol: HttpProtocol,
        *,
        places: Mapping[Places, Shares],
        keys: KeyCache,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._protocol = protocol
        self._places = places
        self._keys = keys
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request if there is room for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        terms = scope["state"]["terms"] = self._protocol.terms_of(scope)
        kind = terms.places
        whose: Hashable = scope["path"]
        if kind is not Places.PROBES:
            whose = scope["state"]["namespace"] = await self._whose(scope)
        places = self._places[kind]
        if not places.take(whose):
            error = Overloaded(f"{places.taken} {kind} are served by this gateway, its limit", 1.0)
            await self._protocol.error_form(error, scope)(scope, receive, send)
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


def terms_of(scope: Scope) -> Terms:
    """Return what this request may take up."""
    found: Terms = scope["state"]["terms"]
    return found


def namespace_of(scope: Scope) -> NamespaceKey | None:
    """Return the namespace that this request counts for."""
    found: NamespaceKey | None = scope["state"].get("namespace")
    return found
