"""Any endpoint that speaks OpenAI's `/v1/embeddings`: OpenAI itself, vLLM, TEI, Ollama."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import (
    InvalidInput,
    PinakError,
    SetupError,
    Unavailable,
    WrongDimension,
)

__all__ = ["OpenAiEmbedder"]

MAX_BATCH = 64  # servers refuse longer lists: TEI's default limit is 32 to 64, OpenAI's 2048
MAX_WAIT_S = 10.0  # the longest pause before a retry, whatever Retry-After asks for

_BACKOFF = wait_random_exponential(multiplier=0.2, max=MAX_WAIT_S)


class _TransientError(Exception):
    """A failure that may pass: 429, 5xx or a broken connection."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.message = message
        self.retry_after_s = retry_after_s


class OpenAiEmbedder:
    """Embeds over HTTP; `url` is the server, its `/v1`, or the whole address of the endpoint.

    `timeout_s` bounds one attempt, `attempts` their number; a request carries `batch` texts.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        dimension: int,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        attempts: int = 4,
        batch: int = MAX_BATCH,
    ) -> None:
        self.model = EmbeddingModel(name=model, revision="openai", dimension=dimension)
        self._url = _endpoint(url)
        self._attempts = attempts
        self._batch = batch
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
        )

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) float32 of length one.

        Raises `InvalidInput` for a text that we or the endpoint refuse, `SetupError` for a wrong
        key, address, model or dimension, `Unavailable` when it does not answer or answers nonsense.
        """
        checked = check_texts(texts)
        if not checked:
            return np.empty((0, self.model.dimension), dtype=np.float32)
        vectors: list[Any] = []
        for start in range(0, len(checked), self._batch):
            vectors.extend(await self._embed_batch(checked[start : start + self._batch]))
        return self._checked(vectors, count=len(checked))

    async def aclose(self) -> None:
        """Close the connections; a second call does nothing."""
        await self._client.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._client.is_closed else "open"
        return f"<OpenAiEmbedder({self.model.name}, {self._url}, {state})>"

    async def _embed_batch(self, texts: list[str]) -> list[Any]:
        if self._client.is_closed:
            raise Unavailable("the embedder is closed")
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            retry=retry_if_exception_type(_TransientError),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            answer: Any = await retrying(self._post, texts)
        except _TransientError as error:
            raise Unavailable(f"the embedding endpoint failed: {error.message}") from error
        return _in_order(answer, count=len(texts))

    async def _post(self, texts: list[str]) -> Any:
        body = {"model": self.model.name, "input": texts, "encoding_format": "float"}
        try:
            response = await self._client.post(self._url, json=body)
        except httpx.TransportError as error:
            raise _TransientError(f"{type(error).__name__}: {error}") from error
        if response.status_code == 429 or response.status_code >= 500:
            raise _TransientError(f"HTTP {response.status_code}", _retry_after_s(response))
        if response.status_code != 200:
            raise _refusal(response)
        try:
            return response.json()
        except ValueError as error:
            raise Unavailable("the embedding endpoint did not answer in JSON") from error

    def _checked(self, vectors: list[Any], *, count: int) -> Vectors:
        """Check the endpoint's vectors; a fault is the endpoint's, so never an `InvalidInput`."""
        try:
            return check_vectors(vectors, count=count, dimension=self.model.dimension)
        except WrongDimension as error:
            raise SetupError(f"the embedding endpoint is set up wrongly: {error}") from error
        except InvalidInput as error:
            raise Unavailable(f"the embedding endpoint answered nonsense: {error}") from error


def _endpoint(url: str) -> str:
    address = url.rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise SetupError("the embedding endpoint's url must start with http:// or https://")
    if address.endswith("/embeddings"):
        return address
    return address + ("/embeddings" if address.endswith("/v1") else "/v1/embeddings")


def _in_order(answer: Any, *, count: int) -> list[Any]:
    """Return the answer's vectors by their index; some servers answer out of order."""
    try:
        by_index = {item["index"]: item["embedding"] for item in answer["data"]}
        vectors = [by_index[position] for position in range(count)]
    except (KeyError, TypeError) as error:
        raise Unavailable(f"the embedding endpoint did not answer {count} vectors") from error
    if len(answer["data"]) != count:
        raise Unavailable(
            f"the embedding endpoint answered {len(answer['data'])} vectors for {count} texts"
        )
    return vectors


def _refusal(response: httpx.Response) -> PinakError:
    status, reason = response.status_code, response.text[:200]
    if status in {400, 413, 422}:  # a text it will never take: too long, for instance
        return InvalidInput(f"the embedding endpoint refused the text: HTTP {status} {reason}")
    return SetupError(f"the embedding endpoint refused the call: HTTP {status} {reason}")


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _TransientError) and error.retry_after_s is not None:
        return min(error.retry_after_s, MAX_WAIT_S)
    return _BACKOFF(state)
