"""`/v1/recall`: search memories."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.memory.recall import RecallResult
from pinak_ray.records.operations import Recall
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.recall import RecallBody
from pinak_ray.serve.v1.openapi import PROBLEMS

router = APIRouter(prefix="/v1/recall", tags=["recall"], responses=PROBLEMS)


@router.post("", summary="Search", response_model=RecallResult, openapi_extra=takes(RecallBody))
async def recall(
    caller: Reader, body: Annotated[RecallBody, Depends(json_body(RecallBody))]
) -> JsonAnswer:
    """Return the memories that answer the query, best first."""
    request = body.request(vector=caller.context.encode_vector(body.vector))
    operation = Recall(await caller.namespace_id(), request)
    return JsonAnswer(await caller.context.send(operation))
