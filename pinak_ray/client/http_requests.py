"""One HTTP request an operation, and what makes its answer a record again."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from pinak_ray.client.answers import context, entries, items, nudges, recall_result, receipt
from pinak_ray.embedding import decode_halfvec
from pinak_ray.records.errors import (
    InvalidInput,
)
from pinak_ray.records.memories import Memory
from pinak_ray.records.operations import (
    Intend,
    Note,
    Post,
    Read,
    ReadContext,
    Recall,
    Recollect,
    Remember,
)
from pinak_ray.records.recall import RecallRequest
from pinak_ray.records.state import Owner, Space

__all__ = ["HttpRequest", "http_request"]


class HttpRequest(NamedTuple):
    """What to ask, and `parse`, which makes the answer's JSON the operation's result."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    parse: Any
    parameters: Mapping[str, Any] | None = None


def http_request(operation: Any) -> HttpRequest:
    """Return the request that carries an operation; raises InvalidInput where none can."""
    match operation:
        case Remember(memory, ack):
            return HttpRequest("POST", "/v1/memories", {**_memory(memory), "ack": ack}, receipt)
        case Recall(_, request):
            return HttpRequest("POST", "/v1/recall", _recall(request), recall_result)
        case Intend(owner, intent, k):
            body = {
                "agent": owner.name,
                "intent": intent.text,
                "tool": intent.tool,
                "arguments": orjson.Fragment(intent.arguments),
                "k": k,
            }
            return HttpRequest("POST", "/v1/nudges", body, nudges)
        case Note():
            return _note(operation)
        case Recollect(owner, None):
            return HttpRequest("GET", f"{_agent(owner)}/working", None, items)
        case Recollect(owner, key):
            assert key is not None
            path = f"{_agent(owner)}/working"
            return HttpRequest("GET", path, None, items, {"key": key})
        case ReadContext(owner, budget):
            return HttpRequest(
                "GET", f"{_agent(owner)}/context", None, context, {"budget_tokens": budget}
            )
        case Post():
            return _post(operation)
        case Read(owner, after_seq, kinds, limit):
            parameters = {"after_seq": after_seq, "limit": limit, "kind": [k.value for k in kinds]}
            return HttpRequest("GET", _entries_path(owner), None, entries, parameters)
    raise InvalidInput(f"{type(operation).__name__} cannot be carried over HTTP")


def _part(name: str) -> str:
    # Bare dots are steps in a path, which any hop may take; escaped they are a name.
    return "%2E" * len(name) if name in (".", "..") else quote(name, safe="")


def _agent(owner: Owner) -> str:
    return f"/v1/agents/{_part(owner.name)}"


def _entries_path(owner: Owner) -> str:
    if owner.space is Space.BOARD:
        return f"/v1/boards/{_part(owner.name)}"
    return f"{_agent(owner)}/scratchpad"


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
        "occurred_at": memory.occurred_at,
        "ttl_s": ttl_s,
        "source": memory.source,
        "vector": _vector(memory.vector),
        # The id was made here, so that a retry over another connection is the same write.
        "idempotency_key": str(memory.id),
    }


def _recall(request: RecallRequest) -> dict[str, Any]:
    filters = request.filters
    return {
        "query": request.query,
        "k": request.k,
        "recipe": request.recipe,
        "layers": filters.layers,
        "agents": filters.agents,
        "sessions": filters.sessions,
        "tags": filters.tags,
        "outcome": filters.outcome,
        "since": filters.since,
        "until": filters.until,
        "min_score": request.min_score,
        "trace": request.trace,
        "vector": _vector(request.vector),
    }


def _note(note: Note) -> HttpRequest:
    body = {
        "value": orjson.Fragment(note.encoded),
        "ttl_s": note.ttl_s,
        "expected_version": note.expected_version,
        "idempotency_key": str(note.id),
        "ack": note.ack,
    }
    return HttpRequest("PUT", f"{_agent(note.owner)}/working/{_part(note.key)}", body, receipt)


def _post(post: Post) -> HttpRequest:
    body = {
        "kind": post.kind,
        "content": post.content,
        "details": orjson.Fragment(post.encoded_details),
        "ttl_s": post.ttl_s,
        "idempotency_key": str(post.id),
        "ack": post.ack,
    }
    if post.owner.space is Space.BOARD:
        body |= {"author": post.author, "key": post.key, "expected_version": post.expected_version}
    return HttpRequest("POST", _entries_path(post.owner), body, receipt)
