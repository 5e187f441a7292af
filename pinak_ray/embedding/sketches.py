"""Sketches: two bits for each number of a vector, to choose a few hundred of a million by.

The first bit says on which side of the mean a number lies, the second whether far from it, in
terms of its vector's own deviation. Such numbers are about gaussian, so the four levels are those
of J. Max, "Quantizing for minimum distortion" (1960). The query keeps its own numbers: only what is
stored is rounded.

A million vectors of 384 numbers take 100 MB and are searched in 30 ms: a pass over all first bits,
by XOR and counting, keeps 32,000, the query's larger numbers choose 6,000 of these, and both bits
rank them. Of the ten nearest .997 are among the best 300 so, of the fifty nearest .985.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pinak_ray.embedding.products import inner_products
from pinak_ray.embedding.protocol import Vectors

__all__ = ["Sketches"]

# In standard deviations: where "far" begins, and what a number is taken for that is near or far.
_FAR, _NEAR_LEVEL, _FAR_LEVEL = 0.9816, 0.4528, 1.510
# What four numbers are taken for, by the byte of their four signs and four "far", (256, 4).
_SIGNS, _FARS = np.split(np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1), 2, 1)
_SIZES = np.where(_FARS, _FAR_LEVEL, _NEAR_LEVEL)
_LEVELS = np.where(_SIGNS, _SIZES, -_SIZES).astype(np.float32)
# After each pass so many are left: of the ten nearest of a million .999, and .998.
_LONGLIST, _SHORTLIST = 32_000, 6_000
# So many vectors' words, and what is made of them, stay in a core's cache.
_CHUNK = 1 << 14
# Where the least of a million end is guessed from so many: to count all takes 4 ms.
_SAMPLE = 1 << 16

Places = npt.NDArray[np.intp]
_Words = npt.NDArray[np.uint64]
_Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Sketches:
    """n vectors of d numbers: `signs` and `far`, a bit a number, (ceil(d / 64), n) each.

    `mean` (d,) is that of the vectors that were sketched first; `along` (n,) is each one's product
    with it, which the bits do not tell: a model may have all its vectors point one way.
    """

    mean: Vectors
    signs: _Words
    far: _Words
    along: Vectors

    @classmethod
    def of(cls, units: Vectors, like: Self | None = None) -> Self:
        """Sketch (n, d) vectors of length 1; `like` others, if they are to be joined."""
        mean = units.mean(axis=0) if like is None else like.mean
        centred, along = units - mean, inner_products(units, mean)
        far = np.abs(centred) > _FAR * _deviations(along, mean)[:, np.newaxis]
        return cls(mean, _bits(centred > 0), _bits(far), along)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all of the parts' vectors; all are like the first one's."""
        signs = np.concatenate([part.signs for part in parts], axis=1)
        far = np.concatenate([part.far for part in parts], axis=1)
        along = np.concatenate([part.along for part in parts])
        return cls(parts[0].mean, signs, far, along)

    def __len__(self) -> int:
        return len(self.along)

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return self.signs.nbytes + self.far.nbytes + self.along.nbytes

    def nearest(
        self, vector: Vectors, count: int, among: npt.NDArray[np.bool_] | None = None
    ) -> Places:
        """Return the places of about the `count` vectors nearest to a (d,) one, in no order.

        Only of those `among` (n,), if given.
        """
        centred = vector / np.linalg.norm(vector) - self.mean
        sizes = np.abs(centred)
        signs = _bits(centred[np.newaxis] > 0)
        heavy = _bits((sizes > np.median(sizes))[np.newaxis])
        if among is None:
            near = _least(self._unlike(signs), _LONGLIST)
        else:
            near = np.flatnonzero(among)
            if len(near) > _LONGLIST:
                near = near[_least(self._unlike(signs)[near], _LONGLIST)]
        differs = np.take(self.signs, near, axis=1) ^ signs
        near = near[_least(_counted(differs) + _counted(differs & heavy), _SHORTLIST)]
        if len(near) <= count:
            return near
        return near[np.argpartition(-self._products(near, centred), count)[:count]]

    def _unlike(self, signs: _Words) -> _Counts:
        """Return in how many signs each differs from these, (n,)."""
        unlike = np.empty(len(self), dtype=np.uint16)
        for start in range(0, len(self), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            unlike[chunk] = _counted(self.signs[:, chunk] ^ signs)
        return unlike

    def _products(self, places: Places, centred: Vectors) -> Vectors:
        """Return the inner products with these as they were kept, (len(places),).

        Less what is the same for all. Four numbers at a time are looked up in a table.
        """
        signs, far = (
            np.ascontiguousarray(np.take(words, places, axis=1).T).view(np.uint8)
            for words in (self.signs, self.far)
        )
        codes = np.stack([signs & 0xF0 | far >> 4, signs << 4 | far & 0x0F], axis=2)
        fours = np.zeros(8 * signs.shape[1], dtype=np.float32)
        fours[: len(centred)] = centred
        table = fours.reshape(-1, 4) @ _LEVELS.T
        starts = np.arange(0, table.size, len(_LEVELS))
        # "clip" spares a check of what is in range.
        lookups = table.ravel().take(codes.reshape(len(places), -1) + starts, mode="clip")
        along = self.along[places]
        products: Vectors = _deviations(along, self.mean) * lookups.sum(axis=1) + along
        return products


def _deviations(along: Vectors, mean: Vectors) -> Vectors:
    """Return the root mean square of unit vectors less the mean, by their products with it."""
    squares: Vectors = 1 - 2 * along + mean @ mean
    deviations: Vectors = np.sqrt(np.maximum(squares, 0) / len(mean))
    return deviations


def _bits(flags: npt.NDArray[np.bool_]) -> _Words:
    """Pack (n, d) flags as (ceil(d / 64), n) words."""
    packed = np.packbits(flags, axis=1)
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _counted(words: _Words) -> _Counts:
    """Return how many bits are set in each column."""
    counts: _Counts = np.bitwise_count(words).sum(axis=0, dtype=np.uint16)
    return counts


def _least(numbers: _Counts, count: int) -> Places:
    """Return where about the `count` least stand, in their order, which is that of memory."""
    if len(numbers) <= count:
        return np.arange(len(numbers))
    step = max(1, len(numbers) // _SAMPLE)
    up_to = np.partition(numbers[::step], count // step)[count // step]
    least = np.flatnonzero(numbers <= up_to)
    if len(least) > 2 * count:  # a great many are equal
        least = least[np.argsort(numbers[least], kind="stable")[:count]]
    return least
