"""The vectors of one namespace's memories, or of their windows: which are near a question's."""

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding import Vectors, inner_products
from pinak_ray.store.mirrors.columns import Column

__all__ = ["VectorTable"]

Places = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float64]


class VectorTable:
    """Unit vectors (n, d) float32, each at the place of its memory; `seq` (n,) is its number.

    A later vector of a memory replaces the first.
    """

    __slots__ = ("_places", "_row_of", "_seqs", "_units")

    def __init__(self, dimension: int) -> None:
        self._units = Column(np.float32, dimension)
        self._places = Column(np.int32)
        self._seqs = Column(np.int64)
        self._row_of = Column(np.int32)

    def __len__(self) -> int:
        return len(self._units)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return sum(each.nbytes for each in (self._units, self._places, self._seqs, self._row_of))

    def add(self, places: Places, units: Vectors, seqs: npt.NDArray[np.int64]) -> None:
        """Hold these vectors of length 1, as far as they are not held."""
        new = self.seqs_of(places) != seqs
        places, units, seqs = places[new], units[new], seqs[new]
        if not len(places):
            return
        first = len(self)
        self._units.extend(units)
        self._places.extend(places)
        self._seqs.extend(seqs)
        self._row_of.fill_to(int(places.max()) + 1, -1)
        self._row_of.values[places] = np.arange(first, first + len(places), dtype=np.int32)

    def drop(self, places: Places) -> None:
        """Forget the vectors of these memories, as far as any are held."""
        known = self._row_of.values
        known[places[places < len(known)]] = -1

    def seqs_of(self, places: Places) -> npt.NDArray[np.int64]:
        """Return the number of each memory's vector, 0 where none is held, (n,)."""
        rows = self._rows_of(places)
        seqs = np.zeros(len(places), dtype=np.int64)
        seqs[rows >= 0] = self._seqs.values[rows[rows >= 0]]
        return seqs

    def cosines(self, unit: Vectors, capacity: int) -> Scores:
        """Return the cosine of a unit vector with each memory's, by place, (capacity,).

        NaN where a memory has none.
        """
        rows = np.full(capacity, -1, dtype=np.int32)
        known = self._row_of.values[:capacity]
        rows[: len(known)] = known
        held = rows >= 0
        found = np.full(capacity, np.nan)
        found[held] = inner_products(self._units.values, unit)[rows[held]]
        return found

    def _rows_of(self, places: Places) -> Places:
        known = self._row_of.values
        rows = np.full(len(places), -1, dtype=np.int32)
        inside = places < len(known)
        rows[inside] = known[places[inside]]
        return rows
