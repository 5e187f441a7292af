"""`/v1/memories/{id}/links`: link memories, and follow the links."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from pinak_ray.records.limits import MAX_DEPTH, MAX_K
from pinak_ray.records.memory.links import LinkKind, change_link, new_related
from pinak_ray.records.memory.memories import Ack
from pinak_ray.records.operations import ChangeLink, ReadRelated
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.links import LinkBody, RelatedAnswers
from pinak_ray.serve.v1.models.memories import ReceiptAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathId
from pinak_ray.serve.v1.writes import AckQuery, UnkeyedWriter, given_once

router = APIRouter(prefix="/v1/memories/{memory_id}/links", tags=["links"], responses=PROBLEMS)

_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"description": "This namespace has no such memory"}
}


@router.post(
    "",
    summary="Link two memories",
    status_code=201,
    response_model=ReceiptAnswer,
    responses={
        200: {
            "model": ReceiptAnswer,
            "description": "The link was there; its strength is as given",
        },
        **_UNKNOWN,
    },
    openapi_extra=takes(LinkBody),
)
async def link(
    caller: UnkeyedWriter,
    memory_id: PathId,
    body: Annotated[LinkBody, Depends(json_body(LinkBody))],
    ack: AckQuery = None,
) -> JsonAnswer:
    """Link this memory to another one. Between two there is at most one link of a kind."""
    owner = await caller.agent(body.agent)
    change = body.change(owner.namespace_id, owner.name, memory_id)
    level = given_once("ack", ack, body.ack) or Ack.DURABLE
    receipt = await caller.context.send(ChangeLink(change, level))
    return JsonAnswer(receipt_answer(receipt), receipt_status(receipt))


@router.delete("/{to}", summary="Remove a link", response_model=ReceiptAnswer)
async def unlink(
    caller: UnkeyedWriter,
    memory_id: PathId,
    to: PathId,
    ack: AckQuery = None,
    kind: Annotated[LinkKind, Query(description="Of which kind.")] = LinkKind.REFERS_TO,
) -> JsonAnswer:
    """Remove the link of this kind from this memory to the other; `new` is false if none was."""
    owner = await caller.agent(None)
    change = change_link(owner.namespace_id, owner.name, memory_id, to, kind, None)
    receipt = await caller.context.send(ChangeLink(change, ack or Ack.DURABLE))
    return JsonAnswer(receipt_answer(receipt))


@router.get("", summary="Follow links", response_model=RelatedAnswers, responses=_UNKNOWN)
async def related(
    caller: Reader,
    memory_id: PathId,
    depth: Annotated[int, Query(ge=1, le=MAX_DEPTH, description="Links away, at most.")] = 1,
    min_strength: Annotated[float, Query(ge=0, le=1, description="Of a path, at least.")] = 0.0,
    kind: Annotated[list[LinkKind] | None, Query(description="Follow these kinds only.")] = None,
    k: Annotated[int, Query(ge=1, le=MAX_K, description="How many memories at most.")] = 20,
) -> JsonAnswer:
    """Return the memories that links lead to, from and to this one, strongest path first."""
    request = new_related(memory_id, depth=depth, min_strength=min_strength, kinds=kind or (), k=k)
    found = await caller.context.send(ReadRelated(await caller.namespace_id(), request))
    return JsonAnswer({"related": found})
