"""Postings: for each term the rows that have it, and how often; as arrays."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Postings", "Vocabulary", "occurrences"]

Rows = npt.NDArray[np.int32]
_Counts = npt.NDArray[np.uint8]

# A tsvector as text: 'term':1,2 'it''s':3. It keeps at most 255 positions of a term.
_LEXEME = re.compile(r"'((?:[^'\\]|''|\\\\)*)'(?::([0-9A-D,]+))?")

Vocabulary = dict[str, int]
"""Each term's number; grows."""


def occurrences(lexemes: str) -> Iterable[tuple[str, int]]:
    """Yield each term of a tsvector's text, and how often it occurs."""
    escaped = "''" in lexemes or "\\" in lexemes
    for term, positions in _LEXEME.findall(lexemes):
        if escaped:
            term = term.replace("''", "'").replace("\\\\", "\\")
        yield term, positions.count(",") + 1


@dataclass(frozen=True, slots=True)
class Postings:
    """Of n rows: the `rows` of each of `terms`, from `starts` on, and `counts` of it in each.

    `terms` (t,) are numbers of the vocabulary, in order; `starts` (t + 1,), `rows` and `counts`
    (p,), each term's rows in order; `lengths` (n,) how many distinct terms a row has.
    """

    terms: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    rows: Rows
    counts: _Counts
    lengths: npt.NDArray[np.int32]

    @classmethod
    def of(cls, texts: Sequence[str], vocabulary: Vocabulary) -> Self:
        """Hold these rows, tsvectors as text; new terms join the vocabulary."""
        terms: list[int] = []
        counts: list[int] = []
        lengths = np.empty(len(texts), dtype=np.int32)
        for row, text in enumerate(texts):
            before = len(terms)
            for term, count in occurrences(text):
                terms.append(vocabulary.setdefault(term, len(vocabulary)))
                counts.append(count)
            lengths[row] = len(terms) - before
        rows = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        return cls._ordered(
            np.array(terms, dtype=np.int32), rows, np.array(counts, dtype=np.uint8), lengths
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all of the parts' rows, each part's behind those of the one before."""
        firsts = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int32)
        return cls._ordered(
            np.concatenate([np.repeat(part.terms, np.diff(part.starts)) for part in parts]),
            np.concatenate([part.rows + first for part, first in zip(parts, firsts, strict=False)]),
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.lengths for part in parts]),
        )

    @classmethod
    def _ordered(
        cls,
        terms: npt.NDArray[np.int32],
        rows: Rows,
        counts: _Counts,
        lengths: npt.NDArray[np.int32],
    ) -> Self:
        """Put (term, row, count) triples, given by rows, in the order of terms."""
        order = np.argsort(terms, kind="stable")
        each, first = np.unique(terms[order], return_index=True)
        starts = np.append(first, len(terms)).astype(np.int64)
        return cls(each.astype(np.int32), starts, rows[order], counts[order], lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        arrays = (self.terms, self.starts, self.rows, self.counts, self.lengths)
        return sum(array.nbytes for array in arrays)

    def spans(self, terms: npt.NDArray[np.int64]) -> list[slice]:
        """Return where the rows of each of these terms stand."""
        if not len(self.terms):
            return [slice(0, 0)] * len(terms)
        at = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        there = self.terms[at] == terms
        first, end = self.starts[at], self.starts[at + 1]
        return list(map(slice, first.tolist(), np.where(there, end, first).tolist()))
