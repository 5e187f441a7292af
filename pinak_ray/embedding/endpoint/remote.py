"""What not every embedder has: two sides of a question, refused texts, being away."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from pinak_ray.embedding.protocol import Embedder, Vectors, check_texts
from pinak_ray.records.errors import InvalidInput

__all__ = [
    "Embedded",
    "Remote",
    "Sided",
    "embed_each",
    "embed_queries",
    "embed_soon",
    "trouble_of",
]


class Embedded(NamedTuple):
    """The vectors of texts, in order, shape (n, d), and why some were refused, by position.

    The row of a refused text means nothing.
    """

    vectors: Vectors
    refused: Mapping[int, str]


@runtime_checkable
class Sided(Embedder, Protocol):
    """An embedder that is told what is asked from what is stored, which `embed` is for."""

    async def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed texts that are asked; raises as `embed` does."""
        ...


@runtime_checkable
class Remote(Sided, Protocol):
    """An embedder elsewhere; it embeds what is asked within what a reader waits."""

    @property
    def trouble(self) -> str | None:
        """Why it does not answer now; None where it does, as far as is known."""
        ...

    async def embed_soon(self, texts: Sequence[str]) -> Vectors:
        """Embed texts as those that are stored, but within what a reader waits."""
        ...

    async def embed_each(self, texts: Sequence[str]) -> Embedded:
        """Embed texts that are stored; a text that is refused alone is nobody else's fault.

        Raises EmbedderUnavailable where the embedder takes none.
        """
        ...


def trouble_of(embedder: Embedder) -> str | None:
    """Return why the embedder does not answer now, None where it does or is in this process."""
    return embedder.trouble if isinstance(embedder, Remote) else None


async def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Embed texts that are asked; raises InvalidInput, and EmbedderUnavailable soon."""
    if isinstance(embedder, Sided):
        return await embedder.embed_queries(texts)
    return await embedder.embed(texts)


async def embed_soon(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Embed texts that are compared with stored ones of their own kind: an intent with failures.

    Raises InvalidInput, and EmbedderUnavailable soon.
    """
    if isinstance(embedder, Remote):
        return await embedder.embed_soon(texts)
    return await embedder.embed(texts)


async def embed_each(embedder: Embedder, texts: Sequence[str]) -> Embedded:
    """Embed texts that are stored, so that a text which is refused fails alone."""
    refused = {at: why for at, text in enumerate(texts) if (why := _fault(text)) is not None}
    good = [at for at in range(len(texts)) if at not in refused]
    done = await _embed_good(embedder, [texts[at] for at in good])
    vectors = np.zeros((len(texts), embedder.model.dimension), dtype=np.float32)
    vectors[good] = done.vectors
    return Embedded(vectors, refused | {good[at]: why for at, why in done.refused.items()})


async def _embed_good(embedder: Embedder, texts: Sequence[str]) -> Embedded:
    if isinstance(embedder, Remote):
        return await embedder.embed_each(texts)
    try:
        return Embedded(await embedder.embed(texts), {})
    except InvalidInput as error:
        if len(texts) == 1:
            nothing = np.zeros((1, embedder.model.dimension), dtype=np.float32)
            return Embedded(nothing, {0: str(error)})
    middle = len(texts) // 2
    one = await _embed_good(embedder, texts[:middle])
    other = await _embed_good(embedder, texts[middle:])
    shifted = {middle + at: why for at, why in other.refused.items()}
    return Embedded(np.concatenate([one.vectors, other.vectors]), {**one.refused, **shifted})


def _fault(text: str) -> str | None:
    try:
        check_texts([text])
    except InvalidInput as error:
        return str(error)
    return None
