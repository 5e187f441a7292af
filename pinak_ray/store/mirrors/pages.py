"""Rows of a namespace as the database sends them: one value behind the other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import asyncpg
import numpy as np
import numpy.typing as npt

from pinak_ray.embedding import Vectors, decode_halfvecs

__all__ = ["Page"]


class Page(NamedTuple):
    """n memories, or windows of these: ids (n,) and lexemes; (m, d) unit vectors, those with a seq.

    `seqs` (n,) are their vectors' numbers, 0 for none; `expires` (n,) seconds since 1970. `last` is
    the greatest seq, None where no row has a vector.
    """

    ids: npt.NDArray[np.void]
    lexemes: Sequence[str]
    seqs: npt.NDArray[np.int64]
    units: Vectors
    alive: npt.NDArray[np.bool_]
    expires: npt.NDArray[np.float64]
    last: int | None

    @classmethod
    def of(cls, row: asyncpg.Record, dimension: int) -> Self:
        """Decode what `own` or `windows` of mirrors.sql returns."""
        ids = np.frombuffer(row["ids"] or b"", dtype="V16")
        seqs = np.frombuffer(row["seqs"] or b"", dtype=">i8").astype(np.int64)
        count = int(np.count_nonzero(seqs))
        units = np.empty((0, dimension), dtype=np.float32)
        if count:
            units = decode_halfvecs(row["vectors"], count)
            units /= np.linalg.norm(units, axis=1, keepdims=True)
        is_own = "alive" in row
        return cls(
            ids,
            row["lexemes"] or [],
            seqs,
            units,
            np.frombuffer(row["alive"] or b"", dtype=np.bool_)
            if is_own
            else np.ones(len(ids), bool),
            np.frombuffer(row["expires"] or b"", dtype=">f8").astype(np.float64)
            if is_own
            else np.full(len(ids), np.inf),
            row["last"],
        )

    def parts(self, size: int) -> Iterator[Self]:
        """Yield the page in parts of `size` rows."""
        before = 0
        for start in range(0, len(self.ids), size):
            rows = slice(start, start + size)
            count = int(np.count_nonzero(self.seqs[rows]))
            yield type(self)(
                self.ids[rows],
                self.lexemes[rows],
                self.seqs[rows],
                self.units[before : before + count],
                self.alive[rows],
                self.expires[rows],
                self.last,
            )
            before += count
