"""`/v1/agents/{agent}/scratchpad`: an agent's private record of the task at hand."""

from typing import Annotated

from fastapi import APIRouter, Depends

from pinak_ray.serve.auth.callers import Reader, Writer
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.entries import Selected, entries_of
from pinak_ray.serve.v1.models.memories import ReceiptAnswer
from pinak_ray.serve.v1.models.state import EntriesAnswer, EntryBody
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathName
from pinak_ray.serve.v1.writes import Writing

router = APIRouter(prefix="/v1/agents/{agent}/scratchpad", tags=["scratchpad"], responses=PROBLEMS)


@router.post(
    "",
    summary="Write one entry",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={200: {"model": ReceiptAnswer, "description": "A retry met its earlier write"}},
    openapi_extra=takes(EntryBody),
)
async def post(
    caller: Writer,
    agent: PathName,
    options: Writing,
    body: Annotated[EntryBody, Depends(json_body(EntryBody))],
) -> JsonAnswer:
    """Put one entry on the agent's scratchpad."""
    owner = await caller.agent(agent)
    operation = body.post(
        owner,
        owner.name,
        idempotency_key=options.key_with(body.idempotency_key),
        ack=options.ack_with(body.ack),
        made=options.made,
    )
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.get("", summary="Read entries", response_model=EntriesAnswer)
async def read(caller: Reader, agent: PathName, selection: Selected) -> JsonAnswer:
    """Return the scratchpad's entries after `after_seq`, oldest first."""
    return await entries_of(caller.context, await caller.agent(agent), selection)
