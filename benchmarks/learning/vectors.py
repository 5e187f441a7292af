"""Vectors of many texts, each computed once: they are kept in a folder between runs."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import progress
from pinak_ray.embedding import Embedder

__all__ = ["KeptVectors"]

_KEY_BYTES = 16
_AT_ONCE = 1024


class KeptVectors:
    """An embedder that remembers: 16 bytes of each text's hash, and its vector in halfvec form.

    `folder` belongs to one model and one process at a time.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._dimension = embedder.model.dimension
        folder.mkdir(parents=True, exist_ok=True)
        self._keys, self._values = folder / "keys.bin", folder / "vectors.f16"
        self._keys.touch()
        self._values.touch()
        keys = self._keys.read_bytes()
        whole = min(len(keys) // _KEY_BYTES, self._values.stat().st_size // (2 * self._dimension))
        stored = np.fromfile(self._values, dtype="<f2", count=whole * self._dimension)
        self._vectors = list(stored.reshape(whole, self._dimension))
        starts = range(0, whole * _KEY_BYTES, _KEY_BYTES)
        self._places = {keys[at : at + _KEY_BYTES]: at // _KEY_BYTES for at in starts}

    def of(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return one vector a text, in order, rounded as halfvec is: (n, dimension) float32."""
        keys = [_key(text) for text in texts]
        missing = {
            key: text for key, text in zip(keys, texts, strict=True) if key not in self._places
        }
        waiting = list(missing.items())
        for start in range(0, len(waiting), _AT_ONCE):
            self._embed(waiting[start : start + _AT_ONCE])
            if len(waiting) > _AT_ONCE:
                progress(f"embedded {min(start + _AT_ONCE, len(waiting))} of {len(waiting)}")
        return np.array([self._vectors[self._places[key]] for key in keys], dtype=np.float32)

    def _embed(self, waiting: Sequence[tuple[bytes, str]]) -> None:
        vectors = asyncio.run(self._embedder.embed([text for _, text in waiting]))
        rounded = vectors.astype("<f2")
        with self._values.open("ab") as values, self._keys.open("ab") as keys:
            values.write(rounded.tobytes())
            keys.write(b"".join(key for key, _ in waiting))
        for (key, _), vector in zip(waiting, rounded, strict=True):
            self._places[key] = len(self._vectors)
            self._vectors.append(vector)


def _key(text: str) -> bytes:
    # The tokenizer parts at blanks: how wide they are changes no vector.
    return hashlib.sha256(" ".join(text.split()).encode()).digest()[:_KEY_BYTES]
