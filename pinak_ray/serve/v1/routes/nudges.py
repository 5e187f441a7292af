"""`/v1/nudges`: what failed like this, what does it contradict, and was the warning any good?"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from pinak_ray.records.operations import Feedback, Intend
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.memories import ReceiptAnswer
from pinak_ray.serve.v1.models.recall import FeedbackBody, IntendBody, NudgesAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.writes import KeyHeader, UnkeyedWriter, given_once

router = APIRouter(prefix="/v1/nudges", tags=["nudges"], responses=PROBLEMS)


@router.post(
    "",
    summary="Say what is about to be done",
    response_model=NudgesAnswer,
    openapi_extra=takes(IntendBody),
)
async def intend(
    caller: Reader,
    body: Annotated[IntendBody, Depends(json_body(IntendBody))],
    idempotency_key: KeyHeader = None,
) -> JsonAnswer:
    """Return the past failures and the facts that bear on the intent; mostly there are none.

    The intent is noted and what is shown counts as shown, if the token may write.
    """
    intent = body.checked_intent()
    agent = await caller.agent(body.agent)
    key = given_once("idempotency_key", idempotency_key, body.idempotency_key)
    request, _ = agent.identity(agent.name, "intend", key, None, tuple)
    operation = Intend(agent, intent, body.k, body.repeat, request, peek=not caller.may_write)
    return JsonAnswer({"nudges": await caller.context.send(operation)})


@router.post(
    "/{nudge_id}/feedback",
    summary="Say what a nudge was worth",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={200: {"model": ReceiptAnswer, "description": "The agent had said something before"}},
    openapi_extra=takes(FeedbackBody),
)
async def feedback(
    caller: UnkeyedWriter,
    nudge_id: UUID,
    body: Annotated[FeedbackBody, Depends(json_body(FeedbackBody))],
) -> JsonAnswer:
    """Keep what an agent says of a nudge, or of the memory behind it; later ones weigh it.

    It counts as the voice of the token's subject, whichever agent it is said for.
    """
    agent = await caller.agent(body.agent)
    operation = Feedback(agent, nudge_id, body.verdict, caller.voice)
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))
