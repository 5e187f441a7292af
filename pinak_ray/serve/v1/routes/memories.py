"""`/v1/memories`: store memories, read, revise and forget one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from pinak_ray.records.errors import PinakError
from pinak_ray.records.forms import ID_FORM
from pinak_ray.records.limits import check_id
from pinak_ray.records.memory.memories import Ack, Memory
from pinak_ray.records.memory.revisions import MAX_VERSIONS
from pinak_ray.records.operations import Forget, Remember, Revise
from pinak_ray.serve.auth.callers import Caller, Reader, Writer
from pinak_ray.serve.protocol import Terms, request_id
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.batches import fates
from pinak_ray.serve.v1.bodies import checked, json_body, takes
from pinak_ray.serve.v1.models.memories import (
    FatesAnswer,
    HistoryAnswer,
    MemoryItem,
    ReceiptAnswer,
    RememberBatchBody,
    RememberBody,
    ReviseBody,
)
from pinak_ray.serve.v1.openapi import PROBLEMS, Responses
from pinak_ray.serve.v1.paths import PathId
from pinak_ray.serve.v1.terms import on_terms
from pinak_ray.serve.v1.writes import UnkeyedWriter, Writing

router = APIRouter(prefix="/v1/memories", tags=["memories"], responses=PROBLEMS)

_UNKNOWN: Responses = {404: {"description": "This namespace has no such memory"}}


async def _operation(
    caller: Caller, item: MemoryItem, *, ack: Ack, key: str | None, made: UUID | None = None
) -> Remember:
    vector = caller.context.encode_vector(item.vector)
    owner = await caller.agent(item.agent)
    memory = item.memory(
        owner.namespace_id, owner.name, vector=vector, idempotency_key=key, made=made
    )
    return Remember(_signed(caller, memory), ack)


def _signed(caller: Caller, memory: Memory) -> Memory:
    """Return it with who stores it, where that is not its agent."""
    return memory if memory.agent == caller.voice else memory._replace(written_by=caller.voice)


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
        made=options.made,
    )
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.post(
    "/batch",
    summary="Store up to 256 memories",
    response_model=FatesAnswer,
    openapi_extra=takes(RememberBatchBody),
)
@on_terms(Terms(max_body=16 << 20))  # up to 256 items, with their vectors
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


@router.get(
    "/{memory_id}",
    summary="Read one memory, with its history",
    response_model=HistoryAnswer,
    responses=_UNKNOWN,
)
async def read(
    caller: Reader,
    memory_id: PathId,
    limit: Annotated[int, Query(ge=1, le=MAX_VERSIONS, description="How many versions.")] = 100,
    before: Annotated[
        Annotated[str, ID_FORM] | None,
        Query(description="Only versions older than this one: an answer's `before`."),
    ] = None,
) -> JsonAnswer:
    """Return one memory, and the newest of all that superseded one another around it."""
    id_, context = check_id("memory_id", memory_id), caller.context
    older_than = None if before is None else check_id("before", before)
    namespace_id = await caller.namespace_id()
    async with context.deadline(context.deadlines.read_s):
        history = await context.backend.versions(namespace_id, id_, limit=limit, before=older_than)
    return JsonAnswer(
        {
            "memory": history.memory.shown,
            "history": [version.shown for version in history.versions],
            "before": history.before,
        }
    )


@router.put(
    "/{memory_id}",
    summary="Revise one memory",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={
        200: {"model": ReceiptAnswer, "description": "A retry met its earlier write"},
        409: {"description": "Another revision came first; `successor` is its memory"},
        **_UNKNOWN,
    },
    openapi_extra=takes(ReviseBody),
)
async def revise(
    caller: Writer,
    memory_id: PathId,
    options: Writing,
    body: Annotated[ReviseBody, Depends(json_body(ReviseBody))],
) -> JsonAnswer:
    """Store what is now said instead of a memory, and return the receipt of the new one.

    It supersedes the old one at once, `accepted` being reached with `durable`.
    """
    revision = body.revision(
        await caller.agent(body.agent),
        memory_id,
        vector=caller.context.encode_vector(body.vector),
        idempotency_key=options.key_with(body.idempotency_key),
        made=options.made,
    )
    revision = revision._replace(memory=_signed(caller, revision.memory))
    receipt = await caller.context.send(Revise(revision, options.ack_with(body.ack)))
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.delete("/{memory_id}", summary="Forget one memory", response_model=ReceiptAnswer)
async def forget(caller: UnkeyedWriter, memory_id: PathId) -> JsonAnswer:
    """Remove one memory. Nothing finds it from here on; `new` is false if there was none."""
    owner = await caller.agent(None)
    receipt = await caller.context.send(Forget(owner, check_id("memory_id", memory_id)))
    return JsonAnswer(receipt_answer(receipt))
