"""One HTTP request an operation, and what makes its answer a record again."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import orjson

from pinak_ray.client.answers import (
    context,
    entries,
    grade,
    items,
    nudges,
    recall_result,
    receipt,
    related,
    watch_page,
)
from pinak_ray.embedding import decode_halfvec
from pinak_ray.records.board_suspicions import Suspect, SuspectedAnswer
from pinak_ray.records.errors import (
    InvalidInput,
)
from pinak_ray.records.memories import Memory, Receipt
from pinak_ray.records.operations import (
    ChangeLink,
    Execute,
    Feedback,
    Forget,
    Grade,
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
from pinak_ray.records.promotion import Promote, Promotion
from pinak_ray.records.recall import RecallRequest
from pinak_ray.records.revisions import Revision
from pinak_ray.records.state import Owner, Space
from pinak_ray.records.templates import (
    Distill,
    Distilled,
    FindTemplates,
    TellOutcome,
    Templates,
    ToldOutcome,
)
from pinak_ray.records.write_keys import WriteKey

__all__ = ["HttpRequest", "http_request"]


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


def http_request(operation: Any) -> HttpRequest:
    """Return the request that carries an operation; raises InvalidInput where none can."""
    request = (
        _of_memories(operation)
        or _of_state(operation)
        or _of_boards(operation)
        or _of_learning(operation)
    )
    if request is None:
        raise InvalidInput(f"{type(operation).__name__} cannot be carried over HTTP")
    return request


def _of_memories(operation: Any) -> HttpRequest | None:
    match operation:
        case Remember(memory, ack):
            body = {**_memory(memory), "ack": ack}
            return HttpRequest("POST", "/v1/memories", body, receipt, write_id=memory.id)
        case Revise(revision, ack):
            path = f"/v1/memories/{revision.memory_id}"
            body = {**_revision(revision), "ack": ack}
            return HttpRequest("PUT", path, body, receipt, write_id=revision.memory.id)
        case Forget(_, memory_id):
            return HttpRequest("DELETE", f"/v1/memories/{memory_id}", None, receipt)
        case Recall(_, request):
            return HttpRequest("POST", "/v1/recall", _recall(request), recall_result)
        case ChangeLink():
            return _change_link(operation)
        case ReadRelated(_, asked):
            path = f"/v1/memories/{asked.memory_id}/links"
            parameters = {
                "depth": asked.depth,
                "min_strength": asked.min_strength,
                "kind": [kind.value for kind in asked.kinds],
                "k": asked.k,
            }
            return HttpRequest("GET", path, None, related, parameters)
        case Intend(owner, intent, k, repeat, id_, False):
            body = {
                "agent": owner.name,
                "intent": intent.text,
                "tool": intent.tool,
                "arguments": orjson.Fragment(intent.arguments),
                "k": k,
                "repeat": repeat,
                "idempotency_key": None if id_ is None else str(id_),
            }
            return HttpRequest("POST", "/v1/nudges", body, nudges)
        case Feedback(owner, subject, verdict):
            body = {"agent": owner.name, "verdict": verdict}
            return HttpRequest("POST", f"/v1/nudges/{subject}/feedback", body, receipt)
        case Grade(owner, asked):
            return HttpRequest(
                "POST", "/v1/recall/grade", {**asked._asdict(), "agent": owner.name}, grade
            )
    return None


def _of_state(operation: Any) -> HttpRequest | None:
    match operation:
        case Note():
            return _note(operation)
        case Recollect(owner, None):
            return HttpRequest("GET", f"{_agent(owner)}/working", None, items)
        case Recollect(owner, key):
            assert key is not None
            path = f"{_agent(owner)}/working"
            return HttpRequest("GET", path, None, items, {"key": key})
        case ReadContext(owner, budget, board, query):
            wanted: dict[str, Any] = {"budget_tokens": budget, "board": board, "query": query}
            parameters = {name: value for name, value in wanted.items() if value is not None}
            return HttpRequest("GET", f"{_agent(owner)}/context", None, context, parameters)
        case Post():
            return _post(operation)
        case Read(owner, after_seq, kinds, limit):
            parameters = {"after_seq": after_seq, "limit": limit, "kind": [k.value for k in kinds]}
            return HttpRequest("GET", _entries_path(owner), None, entries, parameters)
        case Watch():
            return _watch(operation)
        case Execute():
            return _execute(operation)
        case Query(owner, view):
            path = f"{_entries_path(owner)}/{view.name}"
            parameters = view.model_dump(mode="json", exclude_none=True)
            return HttpRequest("GET", path, None, view.answer.model_validate, parameters)
    return None


def _of_learning(operation: Any) -> HttpRequest | None:
    match operation:
        case Promote(owner, author, min_confidence, min_quality, session):
            body = {"min_confidence": min_confidence, "session": session}
            if owner.space is Space.BOARD:
                body["author"] = author
            else:
                body["min_quality"] = min_quality
            path = f"{_entries_path(owner)}/promote"
            return HttpRequest("POST", path, body, Promotion.model_validate)
        case Distill(owner):
            body = {name: value for name, value in operation._asdict().items() if name != "owner"}
            path = f"{_entries_path(owner)}/distill"
            return HttpRequest("POST", path, body, Distilled.model_validate)
        case FindTemplates(_, problem, k):
            body = {"problem": problem, "k": k}
            return HttpRequest("POST", "/v1/templates", body, Templates.model_validate)
        case TellOutcome(owner, template, success, run):
            body = {"agent": owner.name, "success": success, "run": run}
            path = f"/v1/templates/{template}/outcomes"
            return HttpRequest("POST", path, body, ToldOutcome.model_validate)
    return None


def _of_boards(operation: Any) -> HttpRequest | None:
    match operation:
        case Suspect(owner, question):
            asked = {} if question is None else {"question": str(question)}
            path = f"{_entries_path(owner)}/suspected"
            return HttpRequest("GET", path, None, SuspectedAnswer.model_validate, asked)
    return None


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
    return None if vector is None else [float(value) for value in decode_halfvec(vector)]


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


def _recall(request: RecallRequest) -> dict[str, Any]:
    return {
        "query": request.query or None,
        "k": request.k,
        "recipe": request.recipe,
        "rrf_k": request.rrf_k,
        "min_score": request.min_score,
        "trace": request.trace,
        "cursor": request.cursor,
        "expand": request.expand,
        "vector": _vector(request.vector),
        **{one.name: getattr(request.filters, one.name) for one in fields(request.filters)},
    }


def _change_link(operation: ChangeLink) -> HttpRequest:
    change, ack = operation
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


def _execute(operation: Execute[Any]) -> HttpRequest:
    owner, id_, author, command, ack, key = operation
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
