"""`/v1/nudges`: what failed like this?"""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.operations import Intend
from pinak_ray.serve.answers import JsonAnswer
from pinak_ray.serve.auth import Reader
from pinak_ray.serve.bodies import json_body, takes
from pinak_ray.serve.models.recall import IntendBody, NudgesAnswer
from pinak_ray.serve.openapi import PROBLEMS

router = APIRouter(prefix="/v1/nudges", tags=["nudges"], responses=PROBLEMS)


@router.post(
    "",
    summary="Say what is about to be done",
    response_model=NudgesAnswer,
    openapi_extra=takes(IntendBody),
)
async def intend(
    caller: Reader, body: Annotated[IntendBody, Depends(json_body(IntendBody))]
) -> JsonAnswer:
    """Return the past failures that bear on the intent; mostly there are none."""
    intent = body.checked_intent()
    operation = Intend(await caller.agent(body.agent), intent, body.k)
    return JsonAnswer({"nudges": await caller.context.send(operation)})
