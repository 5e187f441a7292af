"""One HTTP request an operation, and what makes its answer a record again."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote
from uuid import UUID

import orjson
from msgspec.structs import asdict

from pinak_ray.client.over_http.answers import entries, items, receipt, result_of, watch_page
from pinak_ray.records.board.suspicions import Suspect
from pinak_ray.records.errors import (
    InvalidInput,
)
from pinak_ray.records.memory.memories import Memory, Receipt
from pinak_ray.records.memory.promotion import Promote
from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.records.memory.revisions import Revision
from pinak_ray.records.operations import (
    ChangeLink,
    Execute,
    Feedback,
    Forget,
    Intend,
    Note,
    Post,
    Query,
    Read,
    ReadContext,
    ReadRelated,
    Recall,
    Recollect,
    Remember,
    Revise,
    Watch,
)
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.wiring import Operation
from pinak_ray.records.write_keys import WriteKey

__all__ = ["CARRIED", "HttpRequest", "http_request"]


class HttpRequest(NamedTuple):
    """What to ask, and `parse`, which makes the answer's JSON the operation's result."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    parse: Any
    parameters: Mapping[str, Any] | None = None
    waits_s: float = 0.0
    """Of a long poll, which has connections of its own: it must not keep the others out."""
    write_id: UUID | None = None
    """Of a write: made here, so that a retry over another connection is the same write."""


Op = TypeVar("Op", bound=Operation[Any])
Maker = Callable[[Op], HttpRequest]

_carried: dict[type[Operation[Any]], Callable[[Any], HttpRequest]] = {}
CARRIED: Mapping[type[Operation[Any]], Callable[[Any], HttpRequest]] = MappingProxyType(_carried)
"""What makes the request of an operation, by its type."""


def http_request(operation: Operation[Any]) -> HttpRequest:
    """Return the request that carries an operation; raises InvalidInput where none can."""
    make = CARRIED.get(type(operation))
    if make is not None:
        return make(operation)
    if operation.wiring.tag is not None:
        return _as_asked(operation)
    why = operation.wiring.unrouted
    raise InvalidInput(f"{type(operation).__name__} cannot be carried over HTTP: {why}")


def _as_asked(operation: Operation[Any]) -> HttpRequest:
    """Return the request of an operation that is asked for as it is: its fields are the body."""
    given = asdict(operation)
    owner = given.pop("owner", None)
    given.pop("namespace_id", None)
    method, template = operation.wiring.routes[0].split(" ")
    named = {**given, **({} if owner is None else {owner.space.value: owner.name})}
    path = re.sub(r"{(\w+)}", lambda found: _part(str(named.pop(found[1]))), template)
    return HttpRequest(method, path, named, result_of(type(operation)))


def _carries(operation: type[Op]) -> Callable[[Maker[Op]], Maker[Op]]:
    def keep(make: Maker[Op]) -> Maker[Op]:
        _carried[operation] = make
        return make

    return keep


@_carries(Remember)
def _remember(operation: Remember) -> HttpRequest:
    memory = operation.memory
    body = {**_memory(memory), "ack": operation.ack}
    return HttpRequest("POST", "/v1/memories", body, receipt, write_id=memory.id)


@_carries(Revise)
def _revise(operation: Revise) -> HttpRequest:
    revision = operation.revision
    path = f"/v1/memories/{revision.memory_id}"
    body = {**_revision(revision), "ack": operation.ack}
    return HttpRequest("PUT", path, body, receipt, write_id=revision.memory.id)


@_carries(Forget)
def _forget(operation: Forget) -> HttpRequest:
    return HttpRequest("DELETE", f"/v1/memories/{operation.memory_id}", None, receipt)


@_carries(Recall)
def _recall(operation: Recall) -> HttpRequest:
    return HttpRequest("POST", "/v1/recall", _asked(operation.request), result_of(Recall))


@_carries(ReadRelated)
def _read_related(operation: ReadRelated) -> HttpRequest:
    asked = operation.request
    parameters = {
        "depth": asked.depth,
        "min_strength": asked.min_strength,
        "kind": [kind.value for kind in asked.kinds],
        "k": asked.k,
    }
    return HttpRequest(
        "GET", f"/v1/memories/{asked.memory_id}/links", None, result_of(ReadRelated), parameters
    )


@_carries(Intend)
def _intend(operation: Intend) -> HttpRequest:
    if operation.peek:
        raise InvalidInput("a peek is a step of context, and cannot be carried over HTTP")
    intent, id_ = operation.intent, operation.id
    body = {
        "agent": operation.owner.name,
        "intent": intent.text,
        "tool": intent.tool,
        "arguments": orjson.Fragment(intent.arguments),
        "k": operation.k,
        "repeat": operation.repeat,
        "idempotency_key": None if id_ is None else str(id_),
    }
    return HttpRequest("POST", "/v1/nudges", body, result_of(Intend))


@_carries(Feedback)
def _feedback(operation: Feedback) -> HttpRequest:
    body = {"agent": operation.owner.name, "verdict": operation.verdict}
    return HttpRequest("POST", f"/v1/nudges/{operation.subject}/feedback", body, receipt)


@_carries(Recollect)
def _recollect(operation: Recollect) -> HttpRequest:
    asked = None if operation.key is None else {"key": operation.key}
    return HttpRequest("GET", f"{_agent(operation.owner)}/working", None, items, asked)


@_carries(ReadContext)
def _read_context(operation: ReadContext) -> HttpRequest:
    asked = {name: value for name, value in asdict(operation).items() if value is not None}
    owner = asked.pop("owner")
    return HttpRequest("GET", f"{_agent(owner)}/context", None, result_of(ReadContext), asked)


@_carries(Read)
def _read(operation: Read) -> HttpRequest:
    kinds = [kind.value for kind in operation.kinds]
    asked = {"after_seq": operation.after_seq, "limit": operation.limit, "kind": kinds}
    return HttpRequest("GET", _entries_path(operation.owner), None, entries, asked)


@_carries(Query)
def _query(operation: Query[Any]) -> HttpRequest:
    view = operation.view
    path = f"{_entries_path(operation.owner)}/{view.name}"
    asked = view.model_dump(mode="json", exclude_none=True)
    return HttpRequest("GET", path, None, view.answer.model_validate, asked)


@_carries(Promote)
def _promote(operation: Promote) -> HttpRequest:
    owner = operation.owner
    body: dict[str, Any] = {
        "min_confidence": operation.min_confidence,
        "session": operation.session,
    }
    if owner.space is Space.BOARD:
        body["author"] = operation.author
    else:
        body["min_quality"] = operation.min_quality
    path = f"{_entries_path(owner)}/promote"
    return HttpRequest("POST", path, body, result_of(Promote))


@_carries(Suspect)
def _suspect(operation: Suspect) -> HttpRequest:
    question = operation.question
    asked = {} if question is None else {"question": str(question)}
    path = f"{_entries_path(operation.owner)}/suspected"
    return HttpRequest("GET", path, None, result_of(Suspect), asked)


def _part(name: str) -> str:
    # Bare dots are steps in a path, which any hop may take; escaped they are a name.
    return "%2E" * len(name) if name in (".", "..") else quote(name, safe="")


def _agent(owner: Owner) -> str:
    return f"/v1/agents/{_part(owner.name)}"


def _entries_path(owner: Owner) -> str:
    if owner.space is Space.BOARD:
        return f"/v1/boards/{_part(owner.name)}"
    return f"{_agent(owner)}/scratchpad"


def _made(id_: UUID, key: WriteKey | None) -> UUID | None:
    """Return the id that was made for this call; under a caller's key there is none."""
    return id_ if key is None else None


def _vector(vector: bytes | None) -> list[float] | None:
    if vector is None:
        return None
    from pinak_ray.embedding import decode_halfvec  # numpy, which most callers do without

    return [float(value) for value in decode_halfvec(vector)]


def _memory(memory: Memory) -> dict[str, Any]:
    ttl_s = None
    if memory.expires_at is not None:
        ttl_s = (memory.expires_at - memory.created_at).total_seconds()
    return {
        "agent": memory.agent,
        "content": memory.content,
        "layer": memory.layer,
        "session": memory.session,
        "details": orjson.Fragment(memory.details),
        "tags": memory.tags,
        "entities": memory.entities,
        "outcome": memory.outcome,
        "salience": memory.salience,
        "occurred_at": None if memory.occurred_at == memory.created_at else memory.occurred_at,
        "ttl_s": ttl_s,
        "source": memory.source,
        "vector": _vector(memory.vector),
        "idempotency_key": memory.write_key and memory.write_key.text,
    }


def _revision(revision: Revision) -> dict[str, Any]:
    always = {"agent", "content", "vector", "idempotency_key"}
    sent = revision.given | always
    return {name: value for name, value in _memory(revision.memory).items() if name in sent}


def _asked(request: RecallRequest) -> dict[str, Any]:
    return {
        "query": request.query or None,
        "k": request.k,
        "recipe": request.recipe,
        "rrf_k": request.rrf_k,
        "min_score": request.min_score,
        "trace": request.trace,
        "cursor": request.cursor,
        "expand": request.expand,
        "min_relevance": request.min_relevance,
        "now": request.now,
        "zone": request.zone,
        "every_copy": request.every_copy,
        "rerank": request.rerank,
        "vector": _vector(request.vector),
        **{one.name: getattr(request.filters, one.name) for one in fields(request.filters)},
    }


@_carries(ChangeLink)
def _change_link(operation: ChangeLink) -> HttpRequest:
    change, ack = operation.change, operation.ack
    path = f"/v1/memories/{change.from_id}/links"
    if change.strength is None:
        path = f"{path}/{change.to_id}"
        parameters = {"kind": change.kind.value, "ack": ack.value}
        return HttpRequest("DELETE", path, None, receipt, parameters)
    body = {
        "to": change.to_id,
        "kind": change.kind,
        "strength": change.strength,
        "agent": change.author,
        "ack": ack,
    }
    return HttpRequest("POST", path, body, receipt)


@_carries(Note)
def _note(note: Note) -> HttpRequest:
    body = {
        "value": orjson.Fragment(note.encoded),
        "ttl_s": note.ttl_s,
        "expected_version": note.expected_version,
        "idempotency_key": note.write_key and note.write_key.text,
        "ack": note.ack,
    }
    path = f"{_agent(note.owner)}/working/{_part(note.key)}"
    return HttpRequest("PUT", path, body, receipt, write_id=_made(note.id, note.write_key))


@_carries(Watch)
def _watch(watch: Watch) -> HttpRequest:
    owner = watch.owner
    path = _entries_path(owner) if owner.space is Space.BOARD else _agent(owner)
    parameters: dict[str, Any] = {
        "after_seq": watch.after_seq,
        "limit": watch.limit,
        "wait_s": watch.wait_s,
        "kind": [kind.value for kind in watch.kinds],
        "author": watch.authors,
    }
    if watch.prefix is not None:
        parameters["prefix"] = watch.prefix
    return HttpRequest("GET", f"{path}/watch", None, watch_page, parameters, watch.wait_s)


@_carries(Execute)
def _execute(operation: Execute[Any]) -> HttpRequest:
    owner, id_, author = operation.owner, operation.id, operation.author
    command, ack, key = operation.command, operation.ack, operation.write_key
    body = {
        **command.model_dump(mode="json"),
        "idempotency_key": key and key.text,
        "ack": ack,
    }
    if owner.space is Space.BOARD:
        body["author"] = author
    answer: Any = command.answer
    parse = receipt if answer is Receipt else answer.model_validate
    path = f"{_entries_path(owner)}/{command.verb}"
    return HttpRequest("POST", path, body, parse, write_id=_made(id_, key))


@_carries(Post)
def _post(post: Post) -> HttpRequest:
    body = {
        "kind": post.kind,
        "content": post.content,
        "details": orjson.Fragment(post.encoded_details),
        "ttl_s": post.ttl_s,
        "idempotency_key": post.write_key and post.write_key.text,
        "ack": post.ack,
    }
    if post.owner.space is Space.BOARD:
        body |= {"author": post.author, "key": post.key, "expected_version": post.expected_version}
    path, made = _entries_path(post.owner), _made(post.id, post.write_key)
    return HttpRequest("POST", path, body, receipt, write_id=made)
