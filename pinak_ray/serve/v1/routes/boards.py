"""`/v1/boards/{board}`: what a team shares."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from pinak_ray.records.board.suspicions import Suspect, SuspectedAnswer
from pinak_ray.serve.auth.callers import Reader, Writer
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.entries import Selected, entries_of
from pinak_ray.serve.v1.models.memories import ReceiptAnswer
from pinak_ray.serve.v1.models.state import EntriesAnswer, PostBody
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathName
from pinak_ray.serve.v1.writes import Writing

router = APIRouter(prefix="/v1/boards/{board}", tags=["boards"], responses=PROBLEMS)


@router.post(
    "",
    summary="Post one entry",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={
        200: {"model": ReceiptAnswer, "description": "A retry met its earlier write"},
        409: {"description": "The public entry is not at the expected version"},
    },
    openapi_extra=takes(PostBody),
)
async def post(
    caller: Writer,
    board: PathName,
    options: Writing,
    body: Annotated[PostBody, Depends(json_body(PostBody))],
) -> JsonAnswer:
    """Put one entry on the board; a `public` one replaces what stands under its key.

    A finding that says more of itself (type, source, confidence, questions) is posted to
    `/v1/boards/{board}/findings`; the same content is one finding on both ways.
    """
    operation = body.operation(
        await caller.board(board),
        caller.named("author", body.author),
        idempotency_key=options.key_with(body.idempotency_key),
        ack=options.ack_with(body.ack),
        made=options.made,
    )
    receipt = await caller.context.send(operation)
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.get("", summary="Read entries", response_model=EntriesAnswer)
async def read(caller: Reader, board: PathName, selection: Selected) -> JsonAnswer:
    """Return the board's entries after `after_seq`, oldest first."""
    return await entries_of(caller.context, await caller.board(board), selection)


@router.get("/suspected", summary="Look for contradictions", response_model=SuspectedAnswer)
async def suspected(caller: Reader, board: PathName, question: UUID | None = None) -> JsonAnswer:
    """Compare the findings of a question, or of each: which seem to contradict each other?"""
    operation = Suspect(await caller.board(board), question)
    return JsonAnswer(await caller.context.send(operation))
