"""Any endpoint that reranks: Cohere, Jina, vLLM, Infinity and OpenVINO by one form, TEI by its own.

`POST /rerank {model, query, documents, top_n}` is answered with `{"results": [{"index",
"relevance_score"}]}`; TEI is asked `{query, texts}` and answers `[{"index", "score"}]`.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pinak_ray.embedding.endpoint.breaker import Breaker
from pinak_ray.embedding.endpoint.request import Endpoint, EndpointError
from pinak_ray.records.errors import Unavailable

__all__ = ["RerankEndpoint", "RerankSpec"]

# Of so many questions the scores are kept (20 numbers each): the next page asks the same.
_KEPT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankSpec:
    """Which endpoint reranks; picklable, so that each actor opens its own client."""

    url: str
    """The server, with `/v1` or `/v2` where that is part of it, or the whole address."""
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    timeout_s: float = 1.0
    """For all of one question; then the ranking stays as it was."""
    always: bool = True
    """False: only where a request asks for it."""


class RerankEndpoint:
    """Asks over HTTP. While the endpoint is down nobody waits for it: one probe at a time asks."""

    def __init__(self, spec: RerankSpec) -> None:
        self.always = spec.always
        self._spec = spec
        self._endpoint = Endpoint(
            _address(spec.url), key=spec.api_key, key_file=spec.key_file, settings="PINAK_RERANK"
        )
        self._breaker = Breaker(self._probe)
        self._is_tei = False
        self._kept: OrderedDict[bytes, Sequence[float]] = OrderedDict()

    @property
    def model(self) -> str:
        """What reranks, as a person would name it."""
        return self._spec.model or self._endpoint.shown

    @property
    def trouble(self) -> str | None:
        """Why the endpoint does not answer now; None where it does, as far as is known."""
        return None if self._breaker.error is None else self._breaker.error.words

    async def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return a score a text, the higher the better; raises Unavailable within the timeout."""
        key = _digest(query, texts)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        if self._endpoint.is_closed:
            raise Unavailable("the reranker is closed")
        if self._breaker.error is not None:
            raise _unavailable(self._breaker.error)
        try:
            found = await self._within(query, texts, self._spec.timeout_s)
        except EndpointError as error:
            # What it does not take of these texts it may take of others.
            if not error.may_be_text or error.may_pass or error.is_late:
                self._breaker.trip(error, within_s=self._spec.timeout_s)
            raise _unavailable(error) from error
        self._kept[key] = found
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    async def ping(self) -> None:
        """Ask once, unless it is known to be down; `trouble` says how it went."""
        if self.trouble is None:
            try:
                await self._probe(self._spec.timeout_s)
            except EndpointError as error:
                self._breaker.trip(error, within_s=self._spec.timeout_s)

    async def aclose(self) -> None:
        """Close the connections; a second call does nothing."""
        self._breaker.close()
        await self._endpoint.aclose()

    def __repr__(self) -> str:
        return f"<RerankEndpoint({self.model})>"

    async def _probe(self, within_s: float) -> None:
        await self._within("does it answer?", ["It answers.", "A text."], within_s)

    async def _within(self, query: str, texts: Sequence[str], within_s: float) -> Sequence[float]:
        try:
            async with asyncio.timeout(within_s):
                return await self._ask(query, texts, within_s)
        except TimeoutError:
            words = f"{self._endpoint.shown} did not answer within {within_s:g} s"
            raise EndpointError(words, is_late=True) from None

    async def _ask(self, query: str, texts: Sequence[str], within_s: float) -> Sequence[float]:
        try:
            answer = await self._endpoint.post(self._body(query, texts), timeout_s=within_s)
        except EndpointError as error:
            if self._is_tei or not error.may_be_text or "texts" not in error.words:
                raise
            self._is_tei = True  # it misses `texts`
            answer = await self._endpoint.post(self._body(query, texts), timeout_s=within_s)
        return _scores(answer, len(texts))

    def _body(self, query: str, texts: Sequence[str]) -> dict[str, Any]:
        if self._is_tei:
            return {"query": query, "texts": list(texts), "truncate": True}
        model = {} if self._spec.model is None else {"model": self._spec.model}
        return {**model, "query": query, "documents": list(texts), "top_n": len(texts)}


def _address(url: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith("/rerank") else f"{url}/rerank"


def _digest(query: str, texts: Sequence[str]) -> bytes:
    hashed = blake2b(digest_size=16)
    for text in (query, *texts):
        said = text.encode(errors="replace")
        hashed.update(len(said).to_bytes(8, "big") + said)
    return hashed.digest()


def _scores(answer: Any, count: int) -> Sequence[float]:
    """Return an answer's scores in the order of the texts; raises EndpointError."""
    rows: Any = answer.get("results") if isinstance(answer, dict) else answer
    found: dict[int, float] = {}
    try:
        for row in rows:
            at, score = row["index"], row.get("relevance_score", row.get("score"))
            if (
                isinstance(at, bool)
                or not isinstance(at, int)
                or not 0 <= at < count
                or at in found
            ):
                raise EndpointError(f"it answered nonsense: index {at!r} of {count} texts")
            found[at] = float(score)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise EndpointError("it did not answer scores by their index") from error
    if len(found) != count:
        raise EndpointError(f"it answered {len(found)} scores for {count} texts")
    if not all(map(math.isfinite, found.values())):
        raise EndpointError("it answered nonsense: a score is NaN or Inf")
    return [found[at] for at in range(count)]


def _unavailable(error: EndpointError) -> Unavailable:
    return Unavailable(f"the reranker does not answer: {error.words}")
