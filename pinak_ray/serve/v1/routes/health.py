"""Health, metrics and public keys: what operators and verifiers ask, without a token.

Nothing here names a tenant, an agent or a memory.
"""

from collections.abc import Mapping, Sequence

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from pinak_ray.records.errors import PinakError
from pinak_ray.security.keys import jwks
from pinak_ray.serve.context import Context
from pinak_ray.serve.protocol import Places, Terms, request_id
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.models.service import HealthAnswer, JwksAnswer, ReadyAnswer
from pinak_ray.serve.v1.problems import problem, problem_body
from pinak_ray.serve.v1.terms import on_terms
from pinak_ray.telemetry.metrics import CONTENT_TYPE, merge_metrics

_PROBE = on_terms(Terms(places=Places.PROBES))
_OK = "ok"
_MAX_FAULT = 200

_log = structlog.get_logger()

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="Is the process alive?", response_model=HealthAnswer)
@_PROBE
async def healthz() -> JsonAnswer:
    """Answer, and ask nobody."""
    return JsonAnswer({"status": _OK})


@router.get(
    "/readyz",
    summary="Does every part answer?",
    response_model=ReadyAnswer,
    responses={503: {"description": "Some part does not; `parts` says which"}},
)
@_PROBE
async def readyz(request: Request, context: Context) -> Response:
    """Ask every part of the stack, or tell what they said within the last second."""

    async def ask() -> Mapping[str, str]:
        try:
            async with context.deadline(context.deadlines.readiness_s):
                return await context.backend.readiness()
        except PinakError as error:
            return {"backend": str(error)}

    parts: Mapping[str, str] = await context.gathered.get("parts", ask)
    failing = {name: fault[:_MAX_FAULT] for name, fault in parts.items() if fault != _OK}
    if not failing:
        return JsonAnswer({"status": "ready", "parts": dict(parts)})
    body = problem_body(
        503,
        "not_ready",
        f"not ready: {', '.join(sorted(failing))}",
        instance=request_id(request.scope),
        parts=failing,
    )
    return problem(body, headers={"Retry-After": "1"})


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
@_PROBE
async def metrics(context: Context) -> Response:
    """Return this gateway's metrics, and those of the other parts while they answer.

    Gathered at most once a second: it asks every process of the stack.
    """

    async def gather() -> bytes:
        others: Sequence[bytes] = ()
        try:
            async with context.deadline(context.deadlines.readiness_s):
                others = await context.backend.metrics()
        except PinakError as error:
            _log.warning("metrics_incomplete", error=error.code)
        return merge_metrics([context.metrics.render(), *others])

    text = await context.gathered.get("metrics", gather)
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


@router.get("/.well-known/jwks.json", summary="Public keys", response_model=JwksAnswer)
async def public_keys(context: Context) -> JsonAnswer:
    """Return the keys that verify this stack's tokens."""
    keys = await context.keys.all()
    return JsonAnswer(jwks(keys.values()), headers={"Cache-Control": "public, max-age=30"})
