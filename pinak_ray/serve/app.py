"""The HTTP application: every protocol an application of its own, under rings that all share."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.routing import Route

from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.backend import Backend
from pinak_ray.serve.context import AppContext, Deadlines
from pinak_ray.serve.middleware.rings import Limits, Rings
from pinak_ray.serve.protocol import HttpProtocol
from pinak_ray.serve.v1.application import version_one
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["create_app"]

_Speaks: TypeAlias = Callable[[AppContext], HttpProtocol]
_USUAL = Limits()


def create_app(
    backend: Backend,
    *,
    beside: Sequence[_Speaks] = (),
    metrics: Metrics | None = None,
    deadlines: Deadlines | None = None,
    limits: Limits = _USUAL,
    names_answers: bool = True,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """Return the application over this backend: version 1, and the protocols `beside` it.

    `names_answers` puts `X-Request-Id` on each answer. The backend is first asked when the first
    request comes, so a `lifespan` may open it.
    """
    metrics = Metrics("gateway") if metrics is None else metrics
    keys = KeyCache(backend.public_keys)
    context = AppContext(backend, keys, metrics, deadlines or Deadlines())
    rings = Rings(limits, keys, metrics, names_answers=names_answers)
    routes = []
    for protocol in (speaks(context) for speaks in beside):
        ringed = rings.around(protocol)
        for prefix in protocol.prefixes:
            routes += [Route(prefix, ringed), Route(f"{prefix}/{{below:path}}", ringed)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = rings.around(version_one(context))
    app.state.context = context
    return app
