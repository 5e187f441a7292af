"""What stays of a task: `promote`, `distill` and `/v1/templates`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.memory.promotion import Promotion, new_promote
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.learning import (
    PromoteBoardBody,
    PromotePadBody,
)
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathName
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
