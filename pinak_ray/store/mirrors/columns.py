"""Arrays that grow at their end."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Column"]

_LEAST = 256


class Column:
    """An array of n values, (n,) or (n, width), that more are put behind."""

    __slots__ = ("_array", "_length")

    def __init__(self, dtype: npt.DTypeLike, width: int | None = None) -> None:
        shape = (0,) if width is None else (0, width)
        self._array: npt.NDArray[Any] = np.empty(shape, dtype=dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> npt.NDArray[Any]:
        """The values; writable, and of now: what comes later may stand elsewhere."""
        return self._array[: self._length]

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self._array.nbytes

    def extend(self, values: npt.ArrayLike) -> None:
        """Put values behind; a quarter more room than needed is made at a time."""
        more = np.asarray(values, dtype=self._array.dtype)
        length = self._length + len(more)
        if length > len(self._array):
            grown = np.empty((max(_LEAST, length * 5 // 4), *self._array.shape[1:]), more.dtype)
            grown[: self._length] = self.values
            self._array = grown
        self._array[self._length : length] = more
        self._length = length

    def fill_to(self, length: int, value: object) -> None:
        """Put `value` behind until there are `length`."""
        missing = length - self._length
        if missing > 0:
            self.extend(np.full((missing, *self._array.shape[1:]), value, self._array.dtype))
