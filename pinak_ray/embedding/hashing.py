"""A deterministic embedder without a model, for tests only: it finds words, not meaning."""

import hashlib
import re
from collections.abc import Iterator, Sequence

import numpy as np

from pinak_ray.embedding.protocol import EmbeddingModel, Vectors, check_texts, check_vectors
from pinak_ray.records.errors import InvalidInput

__all__ = ["HashingEmbedder"]

# A shared word says more than a shared trigram, of which every word brings several.
WORD_WEIGHT = 1.0
TRIGRAM_WEIGHT = 0.25


class HashingEmbedder:
    """Hashes words and trigrams into `dimension` signed buckets, the same on every machine."""

    def __init__(self, dimension: int = 384) -> None:
        if dimension < 1:
            raise InvalidInput(f"the dimension must be at least 1, not {dimension}")
        self.model = EmbeddingModel(name="hashing", revision="1", dimension=dimension)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimension) float32 of length one; raise `InvalidInput` for an empty text."""
        checked = check_texts(texts)
        vectors = np.zeros((len(checked), self.model.dimension), dtype=np.float64)
        for row, text in zip(vectors, checked, strict=True):
            self._fill(row, text)
        return check_vectors(vectors, count=len(checked), dimension=self.model.dimension)

    def knows(self, text: str) -> bool:
        """Tell that it does: words are hashed as they are."""
        return True

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""

    def __repr__(self) -> str:
        return f"<HashingEmbedder(dimension={self.model.dimension})>"

    def _fill(self, row: np.ndarray[tuple[int], np.dtype[np.float64]], text: str) -> None:
        for feature, weight in _features(text):
            bucket, sign = _place(feature, len(row))
            row[bucket] += sign * weight
        if not row.any():  # every pair of signs cancelled, as happens in few dimensions
            bucket, sign = _place("text:" + text, len(row))
            row[bucket] = sign


def _features(text: str) -> Iterator[tuple[str, float]]:
    lowered = text.lower()
    for word in re.findall(r"\w+", lowered):
        yield "word:" + word, WORD_WEIGHT
    padded = f" {' '.join(lowered.split())} "
    for start in range(len(padded) - 2):
        yield "trigram:" + padded[start : start + 3], TRIGRAM_WEIGHT


def _place(feature: str, dimension: int) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
    return (number >> 1) % dimension, 1.0 if number & 1 else -1.0
