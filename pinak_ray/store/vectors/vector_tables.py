"""What a process holds of one namespace's vectors: all of them, or sketches of very many."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding import Sketches, Vectors, decode_halfvecs, inner_products

__all__ = ["ExactTable", "Rows", "SketchTable", "VectorTable"]

# Some of the nearest do not pass: they were superseded, forgotten, or have expired.
_SPARE = 2
# Of the fifty nearest of a million .985 are among the 300 nearest by their sketches, of the ten
# nearest .997.
_SPARE_SKETCHES = 6
_LEAST_SKETCHES = 300
# A UUID and its place in a dictionary.
_BYTES_PER_ID = 200

_Ids = npt.NDArray[np.void]
Nearest = tuple[list[UUID], list[float] | None]


class Rows(NamedTuple):
    """n vectors as the database has them: ids (n,), unit (n, d), which are of failures (n,)."""

    ids: _Ids
    units: Vectors
    is_failure: npt.NDArray[np.bool_]

    @classmethod
    def decode(cls, ids: bytes, vectors: bytes, is_failure: bytes) -> Self:
        """Decode what `page` of vector_cache.sql returns."""
        numbers = decode_halfvecs(vectors, len(is_failure))
        return cls(
            np.frombuffer(ids, dtype="V16"),
            numbers / np.linalg.norm(numbers, axis=1, keepdims=True),
            np.frombuffer(is_failure, dtype=np.bool_),
        )


class VectorTable(Protocol):
    """Vectors to compare with a query's."""

    @classmethod
    def of(cls, rows: Rows, like: Self | None = None) -> Self:
        """Hold these rows, `like` others if they are to be joined."""
        ...

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all of the parts' rows; all parts are like the first."""
        ...

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        ...

    async def nearest(self, vector: Vectors, wanted: int, *, failures: bool) -> Nearest:
        """Return the nearest by cosine distance, some more than are wanted, in no order.

        Among failures only if asked for. Without distances: these are about the nearest.
        """
        ...

    def similarities(self, vector: Vectors, ids: Sequence[UUID]) -> npt.NDArray[np.float64]:
        """Return the cosines with these memories' vectors; NaN where one is not known."""
        ...


@dataclass(frozen=True, slots=True)
class ExactTable:
    """n vectors, ids (n,), units (n, d) float32 and which are of failures (n,)."""

    ids: list[UUID]
    places: dict[UUID, int]
    units: Vectors
    is_failure: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Rows, like: Self | None = None) -> Self:
        """Hold these rows; all are alike."""
        return cls(_uuids(rows.ids), {}, rows.units, rows.is_failure)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all of the parts' rows."""
        ids = [id_ for part in parts for id_ in part.ids]
        return cls(
            ids,
            {id_: place for place, id_ in enumerate(ids)},
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.is_failure for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return self.units.nbytes + self.is_failure.nbytes + len(self) * _BYTES_PER_ID

    async def nearest(self, vector: Vectors, wanted: int, *, failures: bool) -> Nearest:
        """Return the nearest, and their distances."""
        distances = 1.0 - inner_products(self.units, vector / np.linalg.norm(vector))
        if failures:
            distances = np.where(self.is_failure, distances, np.inf)
        count = min(wanted * _SPARE, len(distances))
        near = np.argpartition(distances, count - 1)[:count]
        near = near[np.isfinite(distances[near])]
        return [self.ids[at] for at in near], distances[near].tolist()

    def similarities(self, vector: Vectors, ids: Sequence[UUID]) -> npt.NDArray[np.float64]:
        """Return the cosines with these memories' vectors; NaN where one is not held."""
        places = np.array([self.places.get(id_, -1) for id_ in ids], dtype=np.intp)
        held = places >= 0
        cosines = np.full(len(ids), np.nan)
        cosines[held] = inner_products(self.units[places[held]], vector / np.linalg.norm(vector))
        return cosines


@dataclass(frozen=True, slots=True)
class SketchTable:
    """n sketched vectors, their ids (n,), and which are of failures (n,)."""

    ids: _Ids
    sketches: Sketches
    is_failure: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Rows, like: Self | None = None) -> Self:
        """Sketch these rows, `like` others if they are to be joined."""
        sketches = Sketches.of(rows.units, None if like is None else like.sketches)
        return cls(rows.ids, sketches, rows.is_failure)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all of the parts' rows."""
        return cls(
            np.concatenate([part.ids for part in parts]),
            Sketches.joined([part.sketches for part in parts]),
            np.concatenate([part.is_failure for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return self.ids.nbytes + self.sketches.nbytes + self.is_failure.nbytes

    async def nearest(self, vector: Vectors, wanted: int, *, failures: bool) -> Nearest:
        """Return about the nearest; it is looked for in a thread, for 30 ns a row."""
        count = max(wanted * _SPARE_SKETCHES, _LEAST_SKETCHES)
        among = self.is_failure if failures else None
        near = await asyncio.to_thread(self.sketches.nearest, vector, count, among)
        return _uuids(self.ids[near]), None

    def similarities(self, vector: Vectors, ids: Sequence[UUID]) -> npt.NDArray[np.float64]:
        """Return NaN for each: a sketch is not exact."""
        return np.full(len(ids), np.nan)


def _uuids(ids: _Ids) -> list[UUID]:
    return [UUID(bytes=id_.tobytes()) for id_ in ids]
