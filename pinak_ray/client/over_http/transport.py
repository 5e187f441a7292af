"""Operations over HTTP, for callers outside the Ray cluster; the token names the namespace."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_before_delay

from pinak_ray.client.over_http.problems import raise_problem, retry_after_s
from pinak_ray.client.over_http.requests import HttpRequest, http_request
from pinak_ray.concurrency.backoff import backoff
from pinak_ray.concurrency.per_loop import PerLoop
from pinak_ray.records.errors import (
    InvalidInput,
    NotRunning,
    Overloaded,
    PinakError,
    SetupError,
    Unavailable,
)
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.proxies import proxies_of, through
from pinak_ray.records.wiring import Operation
from pinak_ray.records.write_keys import WRITE_ID

__all__ = ["About", "HttpTransport"]

R = TypeVar("R")

_TIMEOUT_S = 35.0
_RETRY_WINDOW_S = 30.0
_FIRST_BACKOFF_S = 0.05
_LAST_BACKOFF_S = 1.0
# All but `_CONNECTIONS` of these wait for a connection, each with its body.
_MAX_REQUESTS = 4_096
_CONNECTIONS = 100
# Each watcher holds one while it waits.
_WATCHERS = 1_000
# What httpx says of a proxy of the environment that it can make nothing of, or has no package for.
_NO_PROXY_AT_ALL = (ValueError, ImportError, httpx.InvalidURL)


class About(NamedTuple):
    """What a gateway says of the namespace that a token names."""

    namespace: NamespaceKey
    namespace_id: int
    dimension: int


@dataclass(slots=True, eq=False)
class HttpTransport:
    """One gateway and one token; pickles by value. A retried write carries the same id."""

    url: str
    token: str = field(repr=False)
    _requests: int = field(default=0, repr=False)
    _clients: "PerLoop[_Clients]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._clients = PerLoop(self._open, _Clients.aclose)

    def __reduce__(self) -> tuple[Any, ...]:
        return HttpTransport, (self.url, self.token)

    def describe(self) -> About:
        """Ask the gateway what it serves; blocking. Raises Unauthorized and NotRunning."""
        try:
            answer = httpx.get(
                f"{self.url.rstrip('/')}/v1/stats",
                headers=self._headers(),
                timeout=_TIMEOUT_S,
                verify=self._is_encrypted,
                **proxies_of(self.url),
            )
        except httpx.HTTPError as error:
            way = through(self.url)
            raise NotRunning(f"no gateway answers at {self.url}{way}: {error}") from error
        except _NO_PROXY_AT_ALL as error:
            raise self._unusable_proxy(error) from error
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
        request = http_request(operation)
        answer = await self._answer(request)
        return cast("R", request.parse(answer))

    def submit(self, operation: Operation[R]) -> Any:
        """There is no Ray here: raises InvalidInput that says what to write instead."""
        raise InvalidInput(
            f".remote() needs Ray; over HTTP write `await` for {type(operation).__name__}"
        )

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._clients.aclose()

    @property
    def _is_encrypted(self) -> bool:
        """Where it is not, reading the certificates of all authorities is spared: 65 ms."""
        return not self.url.lower().startswith("http://")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _open(self) -> "_Clients":
        try:
            return _Clients(self._client(_CONNECTIONS), self._client(_WATCHERS))
        except _NO_PROXY_AT_ALL as error:
            raise self._unusable_proxy(error) from error

    def _unusable_proxy(self, error: Exception) -> SetupError:
        return SetupError(
            f"the environment's proxies cannot be used for {self.url}{through(self.url)}: {error}"
        )

    def _client(self, connections: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            verify=self._is_encrypted,
            headers=self._headers(),
            timeout=_TIMEOUT_S,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            **proxies_of(self.url),
        )

    async def _answer(self, request: HttpRequest) -> Any:
        """Return the answer's JSON; after a 503 ask again when the gateway said to, or later.

        What is left of the last 503 when the window ends is raised: Overloaded, or Unavailable.
        """
        if self._requests >= _MAX_REQUESTS:
            raise Overloaded(f"{_MAX_REQUESTS} requests wait in this process, its limit", 0.1)
        pause = _Pause()
        self._requests += 1
        try:
            async for attempt in AsyncRetrying(
                stop=stop_before_delay(_RETRY_WINDOW_S + request.waits_s),
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
            way = through(self.url)
            raise Unavailable(
                f"the gateway at {self.url}{way} does not answer: {error!r}"
            ) from error
        finally:
            self._requests -= 1

    async def _ask(self, request: HttpRequest) -> httpx.Response:
        content = None if request.body is None else orjson.dumps(request.body)
        headers = {"Content-Type": "application/json"} if content else {}
        if request.write_id is not None:
            headers[WRITE_ID] = str(request.write_id)
        clients = await self._clients.here()
        return await (clients.watches if request.waits_s else clients.calls).request(
            request.method,
            request.path,
            content=content,
            params=request.parameters,
            headers=headers,
        )


class _Clients(NamedTuple):
    """One event loop's connections; `watches` are the ones on which a request waits."""

    calls: httpx.AsyncClient
    watches: httpx.AsyncClient

    async def aclose(self) -> None:
        await self.calls.aclose()
        await self.watches.aclose()


@dataclass(slots=True)
class _Pause:
    """How long until the next attempt: what the gateway said at least, and never all at once."""

    told_s: float = 0.0
    pauses: Iterator[float] = field(
        default_factory=lambda: backoff(_FIRST_BACKOFF_S, _LAST_BACKOFF_S, spread=0.25)
    )

    def __call__(self, state: RetryCallState) -> float:
        return max(next(self.pauses), self.told_s * random.uniform(1.0, 1.5))  # noqa: S311 - jitter


def _passes(error: BaseException) -> bool:
    """Every operation is idempotent by its id, so whatever may pass is tried again."""
    return isinstance(error, httpx.TransportError | Unavailable) or (
        isinstance(error, PinakError) and error.status == 503
    )
