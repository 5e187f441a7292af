"""`/v1/curation`: what the Curator last did in the caller's namespace, and a pass on request."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.memory.curation import CurationReport
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.curation import CurateBody, CurationAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.writes import UnkeyedWriter

router = APIRouter(prefix="/v1/curation", tags=["curation"], responses=PROBLEMS)


@router.get("", summary="What the Curator last did", response_model=CurationAnswer)
async def curation(caller: Reader) -> JsonAnswer:
    """Return what the Curator may do, its last report and how many memories are archived."""
    namespace_id = await caller.namespace_id()
    async with caller.context.deadline(caller.context.deadlines.read_s):
        return JsonAnswer(await caller.context.backend.curation(namespace_id))


@router.post(
    "",
    summary="Make one pass",
    response_model=CurationReport,
    responses={409: {"description": "Another pass over this namespace is being made"}},
    openapi_extra=takes(CurateBody),
)
async def curate(
    caller: UnkeyedWriter, body: Annotated[CurateBody, Depends(json_body(CurateBody))]
) -> JsonAnswer:
    """Make one pass over the namespace, as the stack's settings say; by default a dry run.

    A pass that takes longer than the deadline of writes goes on, and its report can be read.
    """
    namespace_id = await caller.namespace_id()
    async with caller.context.deadline(caller.context.deadlines.write_s):
        report = await caller.context.backend.curate(namespace_id, dry_run=body.dry_run)
    return JsonAnswer(report)
