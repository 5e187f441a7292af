"""Texts to stored vectors: a text that is refused does not keep back the others."""

from collections.abc import Sequence
from contextlib import suppress

from pinak_ray.embedding import (
    Embedder,
    Vectors,
    embed_each,
    encode_halfvec,
    encode_halfvec_one,
)
from pinak_ray.records.errors import InvalidInput
from pinak_ray.store.indexing.indexing import EncodeVectors

__all__ = ["encoder_of"]


def encoder_of(embedder: Embedder) -> EncodeVectors:
    """Return what makes a stored vector of each text, or says why there is none."""

    async def encode(texts: Sequence[str]) -> Sequence[bytes | str]:
        done = await embed_each(embedder, texts)
        if not done.refused:
            with suppress(InvalidInput):
                return encode_halfvec(done.vectors) if texts else []
        return [done.refused.get(at) or _halfvec(vector) for at, vector in enumerate(done.vectors)]

    return encode


def _halfvec(vector: Vectors) -> bytes | str:
    try:
        return encode_halfvec_one(vector)
    except InvalidInput as error:  # no direction is left in half precision
        return str(error)
