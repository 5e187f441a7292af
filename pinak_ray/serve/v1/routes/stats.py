"""`/v1/stats`: figures of the caller's namespace."""

from typing import Any

from fastapi import APIRouter

from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS

router = APIRouter(prefix="/v1/stats", tags=["service"], responses=PROBLEMS)


@router.get("", summary="Figures of the namespace", response_model=dict[str, Any])
async def stats(caller: Reader) -> JsonAnswer:
    """Return which namespace the token opens, and how much it holds."""
    namespace_id = await caller.namespace_id()
    async with caller.context.deadline(caller.context.deadlines.read_s):
        figures = await caller.context.backend.stats(namespace_id)
    namespace = {**caller.principal.namespace._asdict(), "namespace_id": namespace_id}
    return JsonAnswer({**namespace, **figures})
