"""Operations over HTTP, for callers outside the Ray cluster; the token names the namespace."""

import asyncio
import random
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import quote

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_before_delay

from pinak_ray.client.answers import context, entries, items, nudges, recall_result, receipt
from pinak_ray.client.problems import raise_problem, retry_after_s
from pinak_ray.embedding import decode_halfvec
from pinak_ray.records.errors import (
    InvalidInput,
    NotRunning,
    Overloaded,
    PinakError,
    Unavailable,
)
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memories import Memory
from pinak_ray.records.operations import (
    Intend,
    Note,
    Operation,
    Post,
    Read,
    ReadContext,
    Recall,
    Recollect,
    Remember,
)
from pinak_ray.records.recall import RecallRequest
from pinak_ray.records.state import Owner, Space

__all__ = ["About", "HttpTransport"]

R = TypeVar("R")

_TIMEOUT_S = 35.0
_RETRY_WINDOW_S = 30.0
_FIRST_BACKOFF_S = 0.05
_LAST_BACKOFF_S = 1.0
# All but `_CONNECTIONS` of these wait for a connection, each with its body.
_MAX_REQUESTS = 4_096
_CONNECTIONS = 100


class About(NamedTuple):
    """What a gateway says of the namespace that a token names."""

    namespace: NamespaceKey
    namespace_id: int
    dimension: int


class _Request(NamedTuple):
    method: str
    path: str
    body: Mapping[str, Any] | None
    parse: Any
    parameters: Mapping[str, Any] | None = None


@dataclass(slots=True, eq=False)
class HttpTransport:
    """One gateway and one token; pickles by value. A retried write carries the same id."""

    url: str
    token: str = field(repr=False)
    _requests: int = field(default=0, repr=False)
    _clients: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient]" = field(
        default_factory=weakref.WeakKeyDictionary, repr=False
    )

    def __reduce__(self) -> tuple[Any, ...]:
        return HttpTransport, (self.url, self.token)

    def describe(self) -> About:
        """Ask the gateway what it serves; blocking. Raises Unauthorized and NotRunning."""
        try:
            answer = httpx.get(
                f"{self.url.rstrip('/')}/v1/stats", headers=self._headers(), timeout=_TIMEOUT_S
            )
        except httpx.HTTPError as error:
            raise NotRunning(f"no gateway answers at {self.url}: {error}") from error
        raise_problem(answer)
        figures = answer.json()
        namespace = NamespaceKey(figures["tenant"], figures["project"])
        return About(namespace, int(figures["namespace_id"]), int(figures["model"]["dimension"]))

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the id of the token's own namespace; raises InvalidInput for any other."""
        about = await asyncio.to_thread(self.describe)
        if key != about.namespace:
            raise InvalidInput(f"this token opens {about.namespace}, not {key}")
        return about.namespace_id

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation by one request, retried while the stack is recovering."""
        request = _request(operation)
        answer = await self._answer(request)
        return cast("R", request.parse(answer))

    def submit(self, operation: Operation[R]) -> Any:
        """There is no Ray here: raises InvalidInput that says what to write instead."""
        raise InvalidInput(
            f".remote() needs Ray; over HTTP write `await` for {type(operation).__name__}"
        )

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx.AsyncClient(
                base_url=self.url,
                headers=self._headers(),
                timeout=_TIMEOUT_S,
                limits=httpx.Limits(
                    max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS
                ),
            )
        return client

    async def _answer(self, request: _Request) -> Any:
        """Return the answer's JSON; after a 503 ask again when the gateway said to, or later.

        What is left of the last 503 when the window ends is raised: Overloaded, or Unavailable.
        """
        if self._requests >= _MAX_REQUESTS:
            raise Overloaded(f"{_MAX_REQUESTS} requests wait in this process, its limit", 0.1)
        pause = _Pause()
        self._requests += 1
        try:
            async for attempt in AsyncRetrying(
                stop=stop_before_delay(_RETRY_WINDOW_S),
                wait=pause,
                retry=retry_if_exception(_passes),
                reraise=True,
            ):
                with attempt:
                    pause.told_s = 0.0
                    answer = await self._ask(request)
                    pause.told_s = retry_after_s(answer)
                    raise_problem(answer)
                    return answer.json()
        except httpx.HTTPError as error:
            raise Unavailable(f"the gateway at {self.url} does not answer: {error!r}") from error
        finally:
            self._requests -= 1

    async def _ask(self, request: _Request) -> httpx.Response:
        content = None if request.body is None else orjson.dumps(request.body)
        return await self._client().request(
            request.method,
            request.path,
            content=content,
            params=request.parameters,
            headers={"Content-Type": "application/json"} if content else None,
        )


@dataclass(slots=True)
class _Pause:
    """How long until the next attempt: what the gateway said at least, and never all at once."""

    told_s: float = 0.0

    def __call__(self, state: RetryCallState) -> float:
        backoff: float = min(_FIRST_BACKOFF_S * 2 ** (state.attempt_number - 1), _LAST_BACKOFF_S)
        return max(backoff, self.told_s) * random.uniform(1.0, 1.5)  # noqa: S311 - jitter


def _passes(error: BaseException) -> bool:
    """Every operation is idempotent by its id, so whatever may pass is tried again."""
    return isinstance(error, httpx.TransportError | Unavailable) or (
        isinstance(error, PinakError) and error.status == 503
    )


def _request(operation: Any) -> _Request:
    match operation:
        case Remember(memory, ack):
            return _Request("POST", "/v1/memories", {**_memory(memory), "ack": ack}, receipt)
        case Recall(_, request):
            return _Request("POST", "/v1/recall", _recall(request), recall_result)
        case Intend(owner, intent, k):
            body = {
                "agent": owner.name,
                "intent": intent.text,
                "tool": intent.tool,
                "arguments": orjson.Fragment(intent.arguments),
                "k": k,
            }
            return _Request("POST", "/v1/nudges", body, nudges)
        case Note():
            return _note(operation)
        case Recollect(owner, None):
            return _Request("GET", f"{_agent(owner)}/working", None, items)
        case Recollect(owner, key):
            assert key is not None
            path = f"{_agent(owner)}/working"
            return _Request("GET", path, None, items, {"key": key})
        case ReadContext(owner, budget):
            return _Request(
                "GET", f"{_agent(owner)}/context", None, context, {"budget_tokens": budget}
            )
        case Post():
            return _post(operation)
        case Read(owner, after_seq, kinds, limit):
            parameters = {"after_seq": after_seq, "limit": limit, "kind": [k.value for k in kinds]}
            return _Request("GET", _entries_path(owner), None, entries, parameters)
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


def _note(note: Note) -> _Request:
    body = {
        "value": orjson.Fragment(note.encoded),
        "ttl_s": note.ttl_s,
        "expected_version": note.expected_version,
        "idempotency_key": str(note.id),
        "ack": note.ack,
    }
    return _Request("PUT", f"{_agent(note.owner)}/working/{_part(note.key)}", body, receipt)


def _post(post: Post) -> _Request:
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
    return _Request("POST", _entries_path(post.owner), body, receipt)
