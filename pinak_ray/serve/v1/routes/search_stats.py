"""`/api/v1/search`: figures of the search itself, under the paths that memOS named."""

from fastapi import APIRouter

from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.models.service import CacheAnswer, ScratchpadsAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS

router = APIRouter(prefix="/api/v1/search", tags=["service"], responses=PROBLEMS)


@router.get("/cache/stats", summary="Figures of the cache of recall", response_model=CacheAnswer)
async def cache_stats(caller: Reader) -> JsonAnswer:
    """Return what the gateway that answered holds and has counted: each has a cache of its own."""
    async with caller.context.deadline(caller.context.deadlines.read_s):
        figures = await caller.context.backend.cache_figures()
    lookups = sum(figures["lookups"].values())
    hits = lookups - figures["lookups"]["miss"]
    return JsonAnswer({**figures, "hit_rate": hits / lookups if lookups else 0.0})


@router.get(
    "/scratchpad/stats", summary="Figures of the scratchpads", response_model=ScratchpadsAnswer
)
async def scratchpad_stats(caller: Reader) -> JsonAnswer:
    """Return what the namespace's scratchpads hold; never what is written on them."""
    namespace_id = await caller.namespace_id()
    async with caller.context.deadline(caller.context.deadlines.read_s):
        figures = await caller.context.backend.scratchpad_figures(namespace_id)
    return JsonAnswer(figures)
