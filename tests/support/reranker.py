"""A real endpoint that reranks, on loopback, that a test can have misbehave."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = Callable[[dict[str, Any]], Any]

WRONG: dict[str, Answer] = {
    "no JSON": lambda body: Response("<html>busy</html>", media_type="text/html"),
    "no results": lambda body: {"data": []},
    "too few": lambda body: by_length(body, upto=1),
    "NaN": lambda body: Response(_rows(body, "NaN"), media_type="application/json"),
    "no number": lambda body: Response(_rows(body, '"high"'), media_type="application/json"),
    "an index twice": lambda body: {"results": [_row(0) for _ in body["documents"]]},
    "an index beyond": lambda body: {"results": [_row(at + 1) for at, _ in _texts(body)]},
    "an error": lambda body: JSONResponse({"error": {"message": "out of memory"}}, 500),
}
"""Ways to answer wrongly; a query with one of these words is answered so."""


class RerankServer:
    """Says that the longest text answers best; `answer` decides, if a test sets it."""

    def __init__(self) -> None:
        self.answer: Answer = _usual
        self.calls: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        app = Starlette(
            routes=[
                Route("/rerank", self._common, methods=["POST"]),
                Route("/tei/rerank", self._tei, methods=["POST"]),
            ]
        )
        config = uvicorn.Config(app, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )
        self.thread.start()

    async def _common(self, request: Request) -> Response:
        body = await self._noted(request)
        answer = self.answer(body)
        answer = await answer if asyncio.iscoroutine(answer) else answer
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    async def _tei(self, request: Request) -> Response:
        body = await self._noted(request)
        if "texts" not in body:
            return JSONResponse({"error": "missing field `texts`", "error_type": "Validation"}, 422)
        rows = [{"index": at, "score": float(len(text))} for at, text in enumerate(body["texts"])]
        return JSONResponse(sorted(rows, key=lambda row: -row["score"]))

    async def _noted(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = await request.json()
        self.calls.append(body)
        self.keys.append(request.headers.get("authorization"))
        return body

    def stop(self) -> None:
        """End it."""
        self.server.should_exit = True
        self.thread.join(timeout=10)
        self.socket.close()


def by_length(body: dict[str, Any], upto: int | None = None) -> dict[str, Any]:
    """Answer each text's length as its score, the longest first, as the form allows."""
    rows = [{"index": at, "relevance_score": float(len(text))} for at, text in _texts(body)]
    return {"results": sorted(rows, key=lambda row: -row["relevance_score"])[:upto]}


def _usual(body: dict[str, Any]) -> Any:
    wrong = next((answer for word, answer in WRONG.items() if word in body["query"]), None)
    return (wrong or by_length)(body)


def _texts(body: dict[str, Any]) -> list[tuple[int, str]]:
    return list(enumerate(body["documents"]))


def _row(at: int) -> dict[str, Any]:
    return {"index": at, "relevance_score": 0.5}


def _rows(body: dict[str, Any], score: str) -> str:
    rows = [f'{{"index": {at}, "relevance_score": {score}}}' for at, _ in _texts(body)]
    return f'{{"results": [{", ".join(rows)}]}}'
