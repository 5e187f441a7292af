"""Every command is a POST, and every view a GET, below its board or scratchpad."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from pinak_ray.records import operations
from pinak_ray.records.commands import COMMANDS, VIEWS, Answer, Command, View, checked_model
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.state.owners import Space
from pinak_ray.records.state.writes import new_execute
from pinak_ray.serve.auth.callers import Reader, Writer
from pinak_ray.serve.v1.answers import JsonAnswer, receipt_answer, receipt_status
from pinak_ray.serve.v1.bodies import json_body, takes
from pinak_ray.serve.v1.models.commands import COMMAND_BODIES, CommandBody
from pinak_ray.serve.v1.models.memories import ReceiptAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathName
from pinak_ray.serve.v1.writes import Writing

router = APIRouter(prefix="/v1", responses=PROBLEMS)

_PLACES = {Space.BOARD: "/boards/{name}", Space.AGENT: "/agents/{name}/scratchpad"}
_TAGS = {Space.BOARD: "boards", Space.AGENT: "scratchpad"}


def _execute(command: type[Command]) -> Callable[..., Awaitable[JsonAnswer]]:
    body_model = COMMAND_BODIES[command]

    async def execute(
        caller: Writer,
        name: PathName,
        options: Writing,
        body: Annotated[CommandBody, Depends(json_body(body_model))],
    ) -> JsonAnswer:
        owner = await (caller.board if command.space is Space.BOARD else caller.agent)(name)
        author = caller.named("author", getattr(body, "author", None))
        operation = new_execute(
            owner,
            author if command.space is Space.BOARD else owner.name,
            checked_model(command, **body.fields()),
            ack=options.ack_with(body.ack),
            idempotency_key=options.key_with(body.idempotency_key),
            made=options.made,
        )
        result = await caller.context.send(operation)
        if isinstance(result, Receipt):
            return JsonAnswer(receipt_answer(result), receipt_status(result))
        return JsonAnswer(result)

    return execute


def _show(view: type[View]) -> Callable[..., Awaitable[JsonAnswer]]:
    async def show(
        caller: Reader,
        name: PathName,
        asked: Annotated[Any, Query()],
    ) -> JsonAnswer:
        owner = await (caller.board if view.space is Space.BOARD else caller.agent)(name)
        answer: Answer = await caller.context.send(operations.Query(owner, asked))
        return JsonAnswer(answer)

    show.__annotations__["asked"] = Annotated[view, Query()]
    return show


for command in COMMANDS.values():
    answers_receipt = command.answer is Receipt
    router.add_api_route(
        f"{_PLACES[command.space]}/{command.verb}",
        _execute(command),
        methods=["POST"],
        tags=[_TAGS[command.space]],
        summary=command.verb.replace("_", " ").capitalize(),
        description=command.__doc__,
        status_code=201 if answers_receipt else 200,
        response_model=ReceiptAnswer if answers_receipt else command.answer,
        openapi_extra=takes(COMMAND_BODIES[command]),
        operation_id=f"{_TAGS[command.space]}_{command.verb}",
    )
for view in VIEWS.values():
    router.add_api_route(
        f"{_PLACES[view.space]}/{view.name}",
        _show(view),
        methods=["GET"],
        tags=[_TAGS[view.space]],
        summary=view.name.replace("_", " ").capitalize(),
        description=view.__doc__,
        response_model=view.answer,
        operation_id=f"{_TAGS[view.space]}_{view.name}",
    )
