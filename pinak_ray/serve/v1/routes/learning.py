"""What stays of a task: `promote`, `distill` and `/v1/templates`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.memory.promotion import Promotion, new_promote
from pinak_ray.records.memory.templates import (
    Distilled,
    Templates,
    ToldOutcome,
    new_distill,
    new_find_templates,
    new_outcome,
)
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.learning import (
    DistillBody,
    OutcomeBody,
    PromoteBoardBody,
    PromotePadBody,
    TemplatesBody,
)
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathId, PathName
from pinak_ray.serve.v1.writes import UnkeyedWriter

router = APIRouter(prefix="/v1", responses=PROBLEMS)


@router.post(
    "/boards/{board}/promote",
    summary="Make memories of findings",
    tags=["boards"],
    response_model=Promotion,
    openapi_extra=takes(PromoteBoardBody),
)
async def promote_board(
    caller: UnkeyedWriter,
    board: PathName,
    body: Annotated[PromoteBoardBody, Depends(json_body(PromoteBoardBody))],
) -> JsonAnswer:
    """Make memories of the findings that are sure enough, each once; safe to repeat."""
    operation = new_promote(
        await caller.board(board),
        caller.named("author", body.author),
        min_confidence=body.min_confidence,
        session=body.session,
    )
    return JsonAnswer(await caller.context.send(operation))


@router.post(
    "/agents/{agent}/scratchpad/promote",
    summary="Make memories of reasoning",
    tags=["scratchpad"],
    response_model=Promotion,
    openapi_extra=takes(PromotePadBody),
)
async def promote_scratchpad(
    caller: UnkeyedWriter,
    agent: PathName,
    body: Annotated[PromotePadBody, Depends(json_body(PromotePadBody))],
) -> JsonAnswer:
    """Make memories of the steps of reasoning that are sure enough, each once; safe to repeat."""
    owner = await caller.agent(agent)
    operation = new_promote(
        owner,
        owner.name,
        min_confidence=body.min_confidence,
        min_quality=body.min_quality,
        session=body.session,
    )
    return JsonAnswer(await caller.context.send(operation))


@router.post(
    "/agents/{agent}/scratchpad/distill",
    summary="Make a thought template",
    tags=["scratchpad"],
    response_model=Distilled,
    openapi_extra=takes(DistillBody),
)
async def distill(
    caller: UnkeyedWriter,
    agent: PathName,
    body: Annotated[DistillBody, Depends(json_body(DistillBody))],
) -> JsonAnswer:
    """Make a template of what succeeded in the trajectory, once; safe to repeat."""
    operation = new_distill(await caller.agent(agent), **body.model_dump())
    return JsonAnswer(await caller.context.send(operation))


@router.post(
    "/templates",
    summary="Find thought templates",
    tags=["templates"],
    response_model=Templates,
    openapi_extra=takes(TemplatesBody),
)
async def templates(
    caller: Reader, body: Annotated[TemplatesBody, Depends(json_body(TemplatesBody))]
) -> JsonAnswer:
    """Return the templates for a problem, by similarity and by how often they worked."""
    operation = new_find_templates(await caller.namespace_id(), body.problem, k=body.k)
    return JsonAnswer(await caller.context.send(operation))


@router.post(
    "/templates/{template}/outcomes",
    summary="Say how a run with a template ended",
    tags=["templates"],
    status_code=201,
    response_model=ToldOutcome,
    responses={
        200: {"model": ToldOutcome, "description": "Something had been said of this run before"},
        404: {"description": "This namespace has no such template"},
    },
    openapi_extra=takes(OutcomeBody),
)
async def tell_outcome(
    caller: UnkeyedWriter,
    template: PathId,
    body: Annotated[OutcomeBody, Depends(json_body(OutcomeBody))],
) -> JsonAnswer:
    """Count how a run ended, once; the last word on it holds."""
    owner = await caller.agent(body.agent)
    told = await caller.context.send(new_outcome(owner, template, body.success, body.run))
    return JsonAnswer(told, 201 if told.new else 200)
