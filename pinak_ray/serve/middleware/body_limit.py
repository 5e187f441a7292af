"""No body is longer, or takes longer, than its route can use; and of all, each has a share."""

import asyncio
from collections.abc import Hashable, Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinak_ray.concurrency.shares import Shares
from pinak_ray.serve.middleware.request_limit import namespace_of
from pinak_ray.serve.problems import problem, problem_body, request_id

__all__ = ["MAX_BODY_BYTES", "BodyLimit"]

# In one replica; of one namespace half of it while it is alone.
MAX_BODY_BYTES = 64 << 20

_BODILESS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})
# The rest of the body is still on its way: the connection cannot be used again.
_CLOSE = {"Connection": "close"}


class BodyLimit:
    """Counts while the body streams in: a caller may lie about its length, or give none.

    What came is booked, not what was announced: who announces much and sends nothing holds
    nothing. `limit` is in bytes, `larger` has the limits of paths that take more. The whole body
    must arrive within `timeout_s`, and each part of it within `silence_s` of the one before: what
    HAProxy cannot read, such as a chunk whose extension has no end, is not waited for.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        larger: Mapping[str, int],
        timeout_s: float,
        silence_s: float,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger
        self._timeout_s = timeout_s
        self._silence_s = silence_s
        self._bytes = Shares(max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; reading too much raises a 413, too slowly a 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        length = int(announced) if announced.isdecimal() and len(announced) < 19 else 0
        if scope["method"] in _BODILESS:
            if length or "transfer-encoding" in headers:
                await _refuse(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        times = self._timeout_s, self._silence_s
        body = _Body(receive, limit, length, times, self._bytes, namespace_of(scope))
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.release()


class _Body:
    """One request's body on its way in."""

    def __init__(
        self,
        receive: Receive,
        limit: int,
        announced: int,
        times: tuple[float, float],
        shares: Shares,
        whose: Hashable,
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._announced = announced
        self._clock = asyncio.get_running_loop().time
        timeout_s, self._silence_s = times
        self._deadline = self._clock() + timeout_s
        self._shares = shares
        self._whose = whose
        self._received = 0
        self._whole = False

    async def receive(self) -> Message:
        """Return the next part, once it is counted."""
        if self._whole:  # from here on the server only tells of a disconnect, whenever that is
            return await self._receive()
        if self._announced > self._limit:
            raise self._too_large()
        try:
            async with asyncio.timeout_at(min(self._deadline, self._clock() + self._silence_s)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the request's body took too long", _CLOSE) from None
        size = len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._received + size > self._limit:
            raise self._too_large()
        if size and not self._shares.take(self._whose, size):
            held = f"bodies of {self._shares.taken} bytes are held by this gateway, its limit"
            raise HTTPException(503, held, {**_CLOSE, "Retry-After": "1"})
        self._received += size
        return message

    def release(self) -> None:
        """Give back what was counted."""
        if self._received:
            self._shares.give(self._whose, self._received)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the request's body is longer than {self._limit} bytes", _CLOSE)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    detail = f"{scope['method']} takes no body; send none, and no Content-Length"
    body = problem_body(413, "too_large", detail, instance=request_id(scope))
    await problem(body, headers=_CLOSE)(scope, receive, send)
