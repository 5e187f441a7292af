"""Where each memory stands, by its id."""

import numpy as np
import numpy.typing as npt

from pinak_ray.store.mirrors.columns import Column

__all__ = ["Ids"]

Places = npt.NDArray[np.int32]

# An entry of a dictionary takes ten times what one of the sorted array does.
_MOST_RECENT = 8_192


class Ids:
    """The ids of n memories by place, and the places by id: the newest in a dictionary."""

    __slots__ = ("_order", "_recent", "_sorted", "_values")

    def __init__(self) -> None:
        self._values = Column("V16")
        self._recent: dict[bytes, int] = {}
        self._sorted = np.empty(0, dtype="S16")
        self._order = np.empty(0, dtype=np.int32)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        arrays = self._values.nbytes + self._sorted.nbytes + self._order.nbytes
        return arrays + 200 * len(self._recent)

    @property
    def values(self) -> npt.NDArray[np.void]:
        """The ids, (n,) of 16 bytes."""
        return self._values.values

    def places(self, ids: npt.NDArray[np.void]) -> Places:
        """Return where each id stands, -1 for unknown ones."""
        recent = self._recent
        found = np.array([recent.get(id_, -1) for id_ in ids.tolist()], dtype=np.int32)
        if len(self._sorted) and (found < 0).any():
            wanted = ids.view("S16")
            at = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
            there = (self._sorted[at] == wanted) & (found < 0)
            found[there] = self._order[at[there]]
        return found

    def add(self, ids: npt.NDArray[np.void]) -> Places:
        """Give these, none of which is known, the next places, and return these."""
        first = len(self)
        self._values.extend(ids)
        places = np.arange(first, len(self), dtype=np.int32)
        self._recent |= zip(ids.tolist(), places.tolist(), strict=True)
        if len(self._recent) > max(_MOST_RECENT, first // 8):
            values = self.values.view("S16")
            self._order = np.argsort(values, kind="stable").astype(np.int32)
            self._sorted = values[self._order]
            self._recent = {}
        return places
