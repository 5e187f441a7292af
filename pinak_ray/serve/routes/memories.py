"""`/v1/memories`: store memories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from pinak_ray.records.errors import PinakError
from pinak_ray.records.memories import Ack
from pinak_ray.records.operations import Remember
from pinak_ray.serve.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.auth import Caller, Writer
from pinak_ray.serve.batches import fates
from pinak_ray.serve.bodies import checked, json_body, takes
from pinak_ray.serve.models.memories import (
    FatesAnswer,
    MemoryItem,
    ReceiptAnswer,
    RememberBatchBody,
    RememberBody,
)
from pinak_ray.serve.openapi import PROBLEMS
from pinak_ray.serve.problems import request_id
from pinak_ray.serve.writes import Writing

router = APIRouter(prefix="/v1/memories", tags=["memories"], responses=PROBLEMS)


async def _operation(caller: Caller, item: MemoryItem, *, ack: Ack, key: str | None) -> Remember:
    vector = caller.context.encode_vector(item.vector)
    owner = await caller.agent(item.agent)
    memory = item.memory(owner.namespace_id, owner.name, vector=vector, idempotency_key=key)
    return Remember(memory, ack)


@router.post(
    "",
    summary="Store one memory",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={200: {"model": ReceiptAnswer, "description": "A retry met its earlier write"}},
    openapi_extra=takes(RememberBody),
)
async def remember(
    caller: Writer,
    options: Writing,
    body: Annotated[RememberBody, Depends(json_body(RememberBody))],
) -> JsonAnswer:
    """Store one memory and return its receipt once it has come as far as `ack` asks."""
    operation = await _operation(
        caller,
        body,
        ack=options.ack_with(body.ack),
        key=options.key_with(body.idempotency_key),
    )
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.post(
    "/batch",
    summary="Store up to 256 memories",
    response_model=FatesAnswer,
    openapi_extra=takes(RememberBatchBody),
)
async def remember_batch(
    request: Request,
    caller: Writer,
    options: Writing,
    body: Annotated[RememberBatchBody, Depends(json_body(RememberBatchBody))],
) -> JsonAnswer:
    """Store memories, each on its own: one that is refused does not hold up the others."""
    ack = options.ack_with(body.ack)
    items: list[Remember | PinakError] = []
    for position, given in enumerate(body.memories):
        try:
            item = checked(MemoryItem, given)
            key = options.key_at(position, item.idempotency_key)
            items.append(await _operation(caller, item, ack=ack, key=key))
        except PinakError as error:
            items.append(error)
    results = await fates(caller.context, items, instance=request_id(request.scope))
    return JsonAnswer({"results": results})
