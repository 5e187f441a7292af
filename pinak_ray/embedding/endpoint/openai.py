"""Any endpoint that speaks OpenAI's `/v1/embeddings`: OpenAI itself, vLLM, TEI, Ollama.

What is a text's fault: that the endpoint refuses it alone (HTTP 400, 413, 422, a server's error, no
answer in time, a vector without direction), and takes a plain text right after. All else is the
state of the endpoint or of the set-up, for which no text is blamed.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from pinak_ray.embedding.endpoint.breaker import Breaker
from pinak_ray.embedding.endpoint.forms import (
    SHORTENED,
    EndpointForm,
    OpenAiForm,
    too_long,
    vectors_of,
)
from pinak_ray.embedding.endpoint.options import EndpointOptions
from pinak_ray.embedding.endpoint.remote import Embedded
from pinak_ray.embedding.endpoint.request import Endpoint, EndpointError
from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import (
    EmbedderUnavailable,
    InvalidInput,
    Unavailable,
    WrongDimension,
)

__all__ = ["OpenAiEmbedder", "measured_dimension"]

_PLAIN_TEXT: Final = "does it answer?"
# A broken connection, or a server that was busy for a moment; more is the breaker's.
_AGAIN_AFTER_S: Final = 0.25

_Found: TypeAlias = Vectors | str
"""A text's vector, or why it was refused."""


class OpenAiEmbedder:
    """Embeds over HTTP. What the endpoint takes at once is found by halving, and remembered."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        dimension: int,
        api_key: str | None = None,
        options: EndpointOptions | None = None,
        form: EndpointForm | None = None,
    ) -> None:
        """`form` is that of another kind of endpoint; OpenAI's if it is not given."""
        self._form = form or OpenAiForm()
        self._options = options or EndpointOptions()
        self.model = EmbeddingModel(
            name=model, revision=self._options.revision, dimension=dimension
        )
        address = self._form.address(url.rstrip("/"))
        self._endpoint = Endpoint(address, key=api_key, key_file=self._options.key_file)
        self._breaker = Breaker(self._probe)
        self._batch = self._options.batch
        # Only where the model's own is another one: not every endpoint knows the field.
        self._asks_dimension = False
        self._cuts = False

    @property
    def trouble(self) -> str | None:
        """Why the endpoint does not answer now; None where it does, as far as is known."""
        return None if self._breaker.error is None else self._breaker.error.words

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) float32 of length one.

        Raises `InvalidInput` for a text that we or the endpoint refuse, `EmbedderUnavailable` when
        it does not answer, answers nonsense, or is set up wrongly.
        """
        return _all_of(await self.embed_each(check_texts(texts)))

    async def embed_each(self, texts: Sequence[str]) -> Embedded:
        """Embed texts that are stored; a text that is refused alone fails alone."""
        return await self._guarded(*self._passages(texts), self._options.timeout_s)

    async def embed_soon(self, texts: Sequence[str]) -> Vectors:
        """Embed them as texts that are stored, all within `query_timeout_s`; raises as `embed`."""
        return await self._soon(*self._passages(check_texts(texts)))

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed texts that are asked, all within `query_timeout_s`; raises as `embed` does."""
        options = self._options
        prefixed = [options.query_prefix + text for text in check_texts(texts)]
        return await self._soon(prefixed, {**options.body, **options.query_body})

    def knows(self, text: str) -> bool:
        """Tell that it does: an endpoint does not say what its tokenizer knows."""
        return True

    async def aclose(self) -> None:
        """Close the connections; a second call does nothing."""
        self._breaker.close()
        await self._endpoint.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._endpoint.is_closed else "open"
        return f"<OpenAiEmbedder({self.model.name}, {self._endpoint.shown}, {state})>"

    def _passages(self, texts: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
        """Return how texts that are stored are asked for, and with which fields."""
        options = self._options
        prefixed = [options.passage_prefix + text for text in texts]
        return prefixed, {**options.body, **options.passage_body}

    async def _soon(self, texts: Sequence[str], body: Mapping[str, Any]) -> Vectors:
        within_s = self._options.query_timeout_s
        try:
            async with asyncio.timeout(within_s):
                return _all_of(await self._guarded(texts, body, within_s))
        except TimeoutError:
            late = EndpointError(
                f"{self._endpoint.shown} did not answer within {within_s:g} s", is_late=True
            )
            raise self._away(late, within_s) from None

    async def _guarded(
        self, texts: Sequence[str], body: Mapping[str, Any], timeout_s: float
    ) -> Embedded:
        """Embed unless the endpoint is known to be down; what it fails with is known from then."""
        if self._endpoint.is_closed:
            raise Unavailable("the embedder is closed")
        if self._breaker.error is not None:
            raise _unavailable(self._breaker.error)
        try:
            found = [each async for each in self._found(texts, body, timeout_s)]
        except EndpointError as error:
            raise self._away(error, timeout_s) from error
        return _gathered(found, self.model.dimension)

    async def _found(
        self, texts: Sequence[str], body: Mapping[str, Any], timeout_s: float
    ) -> AsyncIterator[_Found]:
        for part in self._parts(texts):
            try:
                found: Sequence[_Found] = list(await self._call(part, body, timeout_s))
            except EndpointError as error:
                if not error.may_be_text:
                    raise
                # Refused may be all that comes: then neither a text nor their number is why.
                await self._probe(timeout_s)
                found = await self._halved(part, body, timeout_s, error)
                if any(isinstance(each, str) for each in found):
                    await self._probe(timeout_s)
            for each in found:
                yield each

    def _parts(self, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """Cut into as many at once as the endpoint takes, which may be learnt between two parts."""
        at = 0
        while at < len(texts):
            part = texts[at : at + self._batch]
            yield part
            at += len(part)

    async def _halved(
        self, texts: Sequence[str], body: Mapping[str, Any], timeout_s: float, error: EndpointError
    ) -> Sequence[_Found]:
        """Find what the endpoint takes of texts that it does not take together."""
        if len(texts) == 1:
            return [f"the embedding endpoint refused the text: {error.words}"]
        middle = len(texts) // 2
        found: list[_Found] = []
        for half in (texts[:middle], texts[middle:]):
            for part in self._parts(half):
                try:
                    found += list(await self._call(part, body, timeout_s))
                except EndpointError as again:
                    if not again.may_be_text:
                        raise
                    found += await self._halved(part, body, timeout_s, again)
        if not any(isinstance(each, str) for each in found):  # there were too many
            self._batch = max(1, min(self._batch, middle))
        return found

    async def _call(
        self, texts: Sequence[str], body: Mapping[str, Any], timeout_s: float
    ) -> Vectors:
        try:
            return await self._ask(texts, body, timeout_s)
        except EndpointError as error:
            if not error.may_pass or error.retry_after_s > _AGAIN_AFTER_S:
                raise
        await asyncio.sleep(_AGAIN_AFTER_S * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        return await self._ask(texts, body, timeout_s)

    async def _probe(self, within_s: float) -> None:
        await self._ask(*self._passages([_PLAIN_TEXT]), within_s)

    async def _ask(
        self, texts: Sequence[str], body: Mapping[str, Any], timeout_s: float
    ) -> Vectors:
        """Ask once; raises EndpointError, for vectors that are none or of another model too."""
        wanted = self.model.dimension
        asked = self._form.request(self.model.name, texts, body)
        if self._asks_dimension:
            asked[self._form.dimension_field] = wanted
        answer = await self._endpoint.post(asked, timeout_s=timeout_s)
        rows = vectors_of(self._form, answer, len(texts))
        if self._cuts or (self._asks_dimension and too_long(rows)):
            rows = [row[:wanted] for row in rows]
        try:
            return check_vectors(rows, count=len(texts), dimension=wanted)
        except WrongDimension as error:
            if self._asks_dimension:
                raise EndpointError(f"{error}; see PINAK_EMBEDDING_DIMENSION") from error
            return await self._ask_for_dimension(texts, body, timeout_s, error, too_long(rows))
        except InvalidInput as error:
            raise EndpointError(f"it answered nonsense: {error}", may_be_text=True) from error

    async def _ask_for_dimension(
        self,
        texts: Sequence[str],
        body: Mapping[str, Any],
        timeout_s: float,
        wrong: WrongDimension,
        may_cut: bool,
    ) -> Vectors:
        self._asks_dimension = True
        try:
            return await self._ask(texts, body, timeout_s)
        except EndpointError as error:
            self._asks_dimension = False
            if may_cut and error.may_be_text and not error.may_pass:  # it does not know the field
                self._cuts = True
                return await self._ask(texts, body, timeout_s)
            words = f"{wrong}, and asked for `{self._form.dimension_field}` it says: {error.words}"
            raise EndpointError(words, retry_after_s=error.retry_after_s) from error

    def _away(self, error: EndpointError, within_s: float) -> EmbedderUnavailable:
        self._breaker.trip(error, within_s=within_s)
        return _unavailable(error)


async def measured_dimension(
    url: str, model: str, *, api_key: str | None, options: EndpointOptions
) -> int:
    """Return the dimension of an endpoint's vectors; raises EmbedderUnavailable.

    Of more numbers than can be stored the first ones count, a usual size of models that allow it.
    """
    form = OpenAiForm()
    endpoint = Endpoint(form.address(url.rstrip("/")), key=api_key, key_file=options.key_file)
    plain = options.passage_prefix + _PLAIN_TEXT
    asked = form.request(model, [plain], {**options.body, **options.passage_body})
    try:
        answer = await endpoint.post(asked, timeout_s=options.timeout_s)
        (vector,) = vectors_of(form, answer, 1)
        return SHORTENED if too_long([vector]) else len(vector)
    except EndpointError as error:
        raise _unavailable(error) from error
    except TypeError as error:
        raise _unavailable(EndpointError("it answered no vector")) from error
    finally:
        await endpoint.aclose()


def _unavailable(error: EndpointError) -> EmbedderUnavailable:
    words = f"the embedding endpoint does not embed: {error.words}"
    return EmbedderUnavailable(words, error.may_pass or error.is_late)


def _gathered(found: Sequence[_Found], dimension: int) -> Embedded:
    vectors = np.zeros((len(found), dimension), dtype=np.float32)
    refused = {}
    for at, each in enumerate(found):
        if isinstance(each, str):
            refused[at] = each
        else:
            vectors[at] = each
    return Embedded(vectors, refused)


def _all_of(done: Embedded) -> Vectors:
    for at, why in done.refused.items():
        raise InvalidInput(f"text {at}: {why}")
    return done.vectors
