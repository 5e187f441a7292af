"""`/v1/boards/{board}/watch` and `/v1/agents/{agent}/watch`: hear of entries as they come."""

from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import MAX_WAIT_S, check_labels, check_prefix
from pinak_ray.records.operations import Watch
from pinak_ray.records.state.owners import Owner
from pinak_ray.serve.auth.callers import Reader
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.middleware.boundary import CALLER_LEFT
from pinak_ray.serve.middleware.disconnects import while_connected
from pinak_ray.serve.protocol import Places, Terms
from pinak_ray.serve.v1.answers import JsonAnswer, entry_answer
from pinak_ray.serve.v1.entries import Selected, Selection
from pinak_ray.serve.v1.event_stream import EVENT_STREAM, EventStream
from pinak_ray.serve.v1.models.base import NameField
from pinak_ray.serve.v1.models.state import EntriesAnswer
from pinak_ray.serve.v1.openapi import PROBLEMS
from pinak_ray.serve.v1.paths import PathName
from pinak_ray.serve.v1.terms import on_terms

router = APIRouter(prefix="/v1", tags=["watch"], responses=PROBLEMS)

_MOSTLY_WAITS = on_terms(Terms(places=Places.WATCHERS))
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Entries, none if none came in time; or, if that is accepted, a stream of "
        "events: one an entry, its `id` the entry's `seq`, its name the entry's kind, its data "
        "the entry as JSON",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


class Selector(NamedTuple):
    """What is watched for, whoever's it is."""

    selection: Selection
    authors: tuple[str, ...]
    prefix: str | None
    wait_s: float

    def of(self, owner: Owner) -> Watch:
        """Return the operation of one long poll."""
        after_seq, kinds, limit = (
            self.selection.after_seq,
            self.selection.kinds,
            self.selection.limit,
        )
        return Watch(owner, after_seq, kinds, self.authors, self.prefix, limit, self.wait_s)


async def selector(
    selection: Selected,
    author: Annotated[list[NameField] | None, Query(description="Repeat it for several.")] = None,
    prefix: Annotated[
        NameField | None, Query(description="Only public entries whose key starts so.")
    ] = None,
    wait_s: Annotated[float, Query(ge=0, le=MAX_WAIT_S, allow_inf_nan=False)] = MAX_WAIT_S,
    last_event_id: Annotated[
        str | None,
        Header(
            json_schema_extra={"pattern": "^[0-9]{0,18}$"},
            description="Where a broken stream goes on, instead of `after_seq`.",
        ),
    ] = None,
) -> Selector:
    """Read what is watched for; raises InvalidInput."""
    if last_event_id:
        if not (last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19):
            raise InvalidInput("Last-Event-ID must be the id of an event that was sent before")
        selection = replace(selection, after_seq=int(last_event_id))
    authors = check_labels("author", author or ())
    checked = None if prefix is None else check_prefix("prefix", prefix)
    return Selector(selection, authors, checked, wait_s)


Watched = Annotated[Selector, Depends(selector)]


@router.get(
    "/boards/{board}/watch",
    summary="Watch a board",
    response_model=EntriesAnswer,
    responses=_STREAM,
)
@_MOSTLY_WAITS
async def watch_board(
    request: Request, caller: Reader, board: PathName, watched: Watched
) -> Response:
    """Return the board's next entries, waiting for them: a long poll, or a stream of events."""
    return await _answer(request, caller.context, watched.of(await caller.board(board)))


@router.get(
    "/agents/{agent}/watch",
    summary="Watch an agent",
    response_model=EntriesAnswer,
    responses=_STREAM,
)
@_MOSTLY_WAITS
async def watch_agent(
    request: Request, caller: Reader, agent: PathName, watched: Watched
) -> Response:
    """Return the next entries of the agent's scratchpad, and its nudges, waiting for them."""
    return await _answer(request, caller.context, watched.of(await caller.agent(agent)))


async def _answer(request: Request, context: AppContext, watch: Watch) -> Response:
    if EVENT_STREAM in request.headers.get("accept", ""):
        return EventStream(context, watch)
    page = await while_connected(request.receive, context.send(watch))
    if page is None:
        return Response(status_code=CALLER_LEFT)
    entries = [entry_answer(entry) for entry in page.entries]
    return JsonAnswer({"entries": entries, "cursor": page.cursor})
