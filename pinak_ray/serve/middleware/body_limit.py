"""No body is longer, or takes longer, than its route can use; and of all, each has a share."""

import asyncio
from collections.abc import Hashable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from pinak_ray.concurrency.shares import Shares
from pinak_ray.serve.middleware.request_limit import namespace_of, terms_of
from pinak_ray.serve.protocol import HttpProtocol

__all__ = ["BodyLimit", "Patience"]

_BODILESS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})
# The rest of the body is still on its way: the connection cannot be used again.
_CLOSE = {"Connection": "close"}


class Patience(NamedTuple):
    """The whole body must arrive within `timeout_s`, each part within `silence_s` of the one
    before: what HAProxy cannot read, as a chunk whose extension has no end, is not waited for.
    """

    timeout_s: float
    silence_s: float


class BodyLimit:
    """Counts while the body streams in: a caller may lie about its length, or give none.

    What came is booked, not what was announced: who announces much and sends nothing holds
    nothing. How much one request may send is among its protocol's terms.
    """

    def __init__(self, protocol: HttpProtocol, *, bodies: Shares, patience: Patience) -> None:
        self._protocol = protocol
        self._app = protocol.app
        self._bodies = bodies
        self._patience = patience

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
                detail = f"{scope['method']} takes no body; send none, and no Content-Length"
                refused = self._protocol.error_form(HTTPException(413, detail, _CLOSE), scope)
                await refused(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        limit = terms_of(scope).max_body
        body = _Body(receive, limit, length, self._patience, self._bodies, namespace_of(scope))
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
        patience: Patience,
        shares: Shares,
        whose: Hashable,
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._announced = announced
        self._clock = asyncio.get_running_loop().time
        self._silence_s = patience.silence_s
        self._deadline = self._clock() + patience.timeout_s
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
