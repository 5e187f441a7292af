"""A real endpoint of embeddings on loopback, that a test can have misbehave."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

Answer = Callable[[dict[str, Any], int], Any]


class Endpoint:
    """A real server on loopback; `answer(body, call number)` decides what it says."""

    def __init__(self) -> None:
        self.answer: Answer = lambda body, call: vectors_for(body["input"])
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        app = FastAPI()
        app.post("/v1/embeddings")(self._embeddings)
        config = uvicorn.Config(app, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )

    async def _embeddings(self, request: Request) -> Any:
        body = await request.json()
        self.calls.append(body)
        self.keys.append(request.headers.get("authorization"))
        answer = self.answer(body, len(self.calls))
        return await answer if asyncio.iscoroutine(answer) else answer

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def vectors_for(texts: list[str]) -> dict[str, Any]:
    """Answer (length of the text, 1) for each text, in reverse order, as the format allows."""
    data = [{"index": i, "embedding": [float(len(text)), 1.0]} for i, text in enumerate(texts)]
    return {"object": "list", "data": data[::-1]}
