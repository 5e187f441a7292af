"""Near queries: which of the remembered vectors lies closest to a new one."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np

from pinak_ray.embedding import Vectors, inner_products

__all__ = ["NearQueries"]

K = TypeVar("K", bound=Hashable)


class NearQueries(Generic[K]):
    """Vectors of length one by key, in one matrix that grows by a quarter.

    Looking through a thousand of 384 numbers takes some .1 ms.
    """

    __slots__ = ("_keys", "_rows", "_vectors")

    def __init__(self) -> None:
        self._keys: list[K] = []
        self._rows: dict[K, int] = {}
        self._vectors: Vectors = np.empty((0, 0), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def size(self) -> int:
        """How many bytes the vectors take."""
        return self._vectors.nbytes

    def add(self, key: K, vector: Vectors) -> None:
        """Remember a vector of shape (d,), d being that of all others, under a new key."""
        row = len(self._keys)
        if row == len(self._vectors):
            grown = np.empty((row + max(1, row // 4), len(vector)), dtype=np.float32)
            grown[:row] = self._vectors[:row] if row else 0
            self._vectors = grown
        self._vectors[row] = vector
        self._rows[key] = row
        self._keys.append(key)

    def remove(self, key: K) -> None:
        """Forget a vector, if there is one under this key."""
        row = self._rows.pop(key, None)
        if row is None:
            return
        last = self._keys.pop()
        if last != key:
            self._vectors[row] = self._vectors[len(self._keys)]
            self._keys[row], self._rows[last] = last, row

    def nearest(self, vector: Vectors) -> tuple[K, float]:
        """Return the key of the vector with the greatest cosine, and the cosine.

        Raises ValueError where nothing is remembered.
        """
        cosines = inner_products(self._vectors[: len(self._keys)], vector)
        best = int(cosines.argmax())
        return self._keys[best], float(cosines[best])
