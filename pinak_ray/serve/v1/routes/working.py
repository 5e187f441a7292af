"""`/v1/agents/{agent}/working` and `/context`: an agent's short-term items."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from pinak_ray.records.errors import NotFound, PinakError
from pinak_ray.records.limits import (
    DEFAULT_BUDGET_TOKENS,
    MAX_BUDGET_TOKENS,
    check_name,
    check_text,
)
from pinak_ray.records.memory.context import Context
from pinak_ray.records.memory.recall import MAX_QUERY_BYTES
from pinak_ray.records.operations import Note, ReadContext, Recollect
from pinak_ray.serve.auth.callers import Reader, Writer
from pinak_ray.serve.protocol import request_id
from pinak_ray.serve.v1.answers import (
    JsonAnswer,
    item_answer,
    receipt_answer,
    receipt_status,
)
from pinak_ray.serve.v1.batches import fates
from pinak_ray.serve.v1.bodies import checked, json_body, takes
from pinak_ray.serve.v1.models.base import NameField, QuestionField
from pinak_ray.serve.v1.models.memories import FatesAnswer, ReceiptAnswer
from pinak_ray.serve.v1.models.state import (
    NoteBatchBody,
    NoteBody,
    NoteItem,
    WorkingAnswer,
    WorkingItemAnswer,
)
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathKey, PathName
from pinak_ray.serve.v1.writes import Writing

router = APIRouter(prefix="/v1/agents/{agent}", tags=["working memory"], responses=PROBLEMS)


@router.get("/working", summary="Read all items", response_model=WorkingAnswer)
async def recollect_all(
    caller: Reader,
    agent: PathName,
    key: Annotated[NameField | None, Query(description="Only this one, if it is there.")] = None,
) -> JsonAnswer:
    """Return the agent's live working items, by key."""
    wanted = None if key is None else check_name("key", key)
    items = await caller.context.send(Recollect(await caller.agent(agent), wanted))
    return JsonAnswer({"items": [item_answer(item) for item in items]})


@router.put(
    "/working",
    summary="Write up to 256 items",
    response_model=FatesAnswer,
    openapi_extra=takes(NoteBatchBody),
)
async def note_all(
    request: Request,
    caller: Writer,
    agent: PathName,
    options: Writing,
    body: Annotated[NoteBatchBody, Depends(json_body(NoteBatchBody))],
) -> JsonAnswer:
    """Write items, each on its own; those that are not named stay as they are."""
    owner = await caller.agent(agent)
    operations: list[Note | PinakError] = []
    for position, given in enumerate(body.items):
        try:
            item = checked(NoteItem, given)
            key = options.key_at(position, item.idempotency_key)
            ack = item.ack or options.ack_with(body.ack)
            operations.append(item.note(owner, item.key, idempotency_key=key, ack=ack))
        except PinakError as error:
            operations.append(error)
    results = await fates(caller.context, operations, instance=request_id(request.scope))
    return JsonAnswer({"results": results})


# A key may hold slashes, as in `plan/step-1`.
@router.get("/working/{key:path}", summary="Read one item", response_model=WorkingItemAnswer)
async def recollect(caller: Reader, agent: PathName, key: PathName) -> JsonAnswer:
    """Return one working item."""
    wanted = check_name("key", key)
    items = await caller.context.send(Recollect(await caller.agent(agent), wanted))
    if not items:
        raise NotFound("this agent has no working item of that key, or it has expired")
    return JsonAnswer(item_answer(items[0]))


@router.put(
    "/working/{key:path}",
    summary="Write one item",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={
        200: {"model": ReceiptAnswer, "description": "A retry met its earlier write"},
        409: {"description": "The item is not at the expected version"},
    },
    openapi_extra=takes(NoteBody),
)
async def note(
    caller: Writer,
    agent: PathName,
    key: PathKey,
    options: Writing,
    body: Annotated[NoteBody, Depends(json_body(NoteBody))],
) -> JsonAnswer:
    """Write one working item; `expected_version` makes it a compare-and-set."""
    operation = body.note(
        await caller.agent(agent),
        key,
        idempotency_key=options.key_with(body.idempotency_key),
        ack=options.ack_with(body.ack),
        made=options.made,
    )
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.get("/context", summary="Render for a prompt", response_model=Context)
async def context(
    caller: Reader,
    agent: PathName,
    budget_tokens: Annotated[int, Query(ge=1, le=MAX_BUDGET_TOKENS)] = DEFAULT_BUDGET_TOKENS,
    board: Annotated[NameField | None, Query(description="Whose open points to show.")] = None,
    query: Annotated[
        QuestionField | None, Query(description="What to recall; else the intent.")
    ] = None,
) -> JsonAnswer:
    """Return what the agent needs for its next step, as text that fits in the budget."""
    operation = ReadContext(
        await caller.agent(agent),
        budget_tokens,
        None if board is None else check_name("board", board),
        None if query is None else check_text("query", query, limit=MAX_QUERY_BYTES),
    )
    return JsonAnswer(await caller.context.send(operation))
