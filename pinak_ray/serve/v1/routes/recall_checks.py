"""`/v1/recall/grade`: was what a recall brought any good?"""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.records.memory.grades import RetrievalGrade
from pinak_ray.records.operations import Grade
from pinak_ray.serve.v1.answers import JsonAnswer
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.grades import GradeBody
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.writes import UnkeyedWriter

router = APIRouter(prefix="/v1/recall", tags=["recall"], responses=PROBLEMS)


@router.post(
    "/grade",
    summary="Grade a recall",
    response_model=RetrievalGrade,
    openapi_extra=takes(GradeBody),
)
async def grade(
    caller: UnkeyedWriter, body: Annotated[GradeBody, Depends(json_body(GradeBody))]
) -> JsonAnswer:
    """Grade the memories that a recall brought, and the answer; the grade is kept as feedback."""
    operation = Grade(await caller.agent(body.agent), body.request())
    return JsonAnswer(await caller.context.send(operation))
