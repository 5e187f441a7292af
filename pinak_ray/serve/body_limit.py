"""No request body is longer, or takes longer, than what the routes can use."""

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]


class BodyLimit:
    """Counts while the body streams in: a caller may lie about its length, or give none.

    `limit` is in bytes, `larger` has the limits of paths that take more. The whole body must
    arrive within `timeout_s`.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int, larger: Mapping[str, int], timeout_s: float
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; reading too much raises a 413, too slowly a 408."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        announced = Headers(scope=scope).get("content-length", "")
        seen = int(announced) if announced.isdecimal() and len(announced) < 19 else 0
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        whole = False
        received = 0

        async def receive_counted() -> Message:
            nonlocal received, whole
            if whole:  # from here on the server only tells of a disconnect, whenever that is
                return await receive()
            if seen > limit:
                raise _too_large(limit)
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the request's body took too long") from None
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if received > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, receive_counted, send)


def _too_large(limit: int) -> HTTPException:
    # The rest of the body is still on its way: the connection cannot be used again.
    return HTTPException(
        413, f"the request's body is longer than {limit} bytes", headers={"Connection": "close"}
    )
