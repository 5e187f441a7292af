"""Server-sent events: a watch as a stream that any EventSource reads and resumes."""

import asyncio
from collections.abc import AsyncIterator, Callable

import orjson
from msgspec.structs import replace
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Watch
from pinak_ray.records.state.owners import Entry
from pinak_ray.serve.context import AppContext
from pinak_ray.serve.middleware.disconnects import while_connected
from pinak_ray.serve.protocol import request_id
from pinak_ray.serve.v1.answers import entry_answer
from pinak_ray.serve.v1.problems import problem_of

__all__ = ["EVENT_STREAM", "EventStream"]

EVENT_STREAM = "text/event-stream"

# Under the 15 s after which the WHATWG's text has proxies drop a silent stream.
_HEARTBEAT_S = 10.0
# A token is looked at when a stream begins; after this long the client begins a new one by itself,
# where it left off.
_STREAM_S = 300.0
_RECONNECT_MS = 500


class EventStream(Response):
    """Sends entries as they are committed; ends with its caller, and after five minutes."""

    media_type = EVENT_STREAM

    def __init__(
        self,
        context: AppContext,
        watch: Watch,
        *,
        heartbeat_s: float = _HEARTBEAT_S,
        stream_s: float = _STREAM_S,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._context = context
        self._watch = replace(watch, wait_s=heartbeat_s)
        self._stream_s = stream_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        await while_connected(receive, self._send(scope, send))

    async def _send(self, scope: Scope, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(head)
        async for text in self._texts(scope):
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _texts(self, scope: Scope) -> AsyncIterator[bytes]:
        """Yield what is sent: each page's events, or a heartbeat that carries the cursor."""
        clock: Callable[[], float] = asyncio.get_running_loop().time
        ends_at = clock() + self._stream_s
        yield b"retry: %d\n\n" % _RECONNECT_MS
        while True:  # what is there already is always sent
            try:
                page = await self._context.send(self._watch)
            except PinakError as error:
                problem = problem_of(error, instance=request_id(scope))
                yield b"event: problem\ndata: %b\n\n" % orjson.dumps(problem)
                return
            self._watch = replace(self._watch, after_seq=page.cursor)
            events = [_event(entry) for entry in page.entries]
            # An event without data is not dispatched, but its id is where a reconnect goes on.
            yield b"".join((*events, b": \nid: %d\n\n" % page.cursor))
            if clock() >= ends_at:
                return


def _event(entry: Entry) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (
        entry.seq,
        entry.kind.encode(),
        orjson.dumps(entry_answer(entry)),
    )
