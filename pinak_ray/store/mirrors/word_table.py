"""The words of one namespace's memories, or of their windows: which match a question, how well."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pinak_ray.store.mirrors.columns import Column
from pinak_ray.store.mirrors.postings import Postings, Vocabulary
from pinak_ray.store.mirrors.rarity import K1, AskedTerms, saturation

__all__ = ["Found", "Scored", "WordTable"]

# A part grows into the one before as soon as it is a quarter of it: few parts, and little is moved.
_FAN_IN = 4

Rows = npt.NDArray[np.int32]
Places = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float64]


class Found(NamedTuple):
    """What the terms of one question have in a table: by part, where each term's rows stand.

    And in how many rows each term is.
    """

    spans: Sequence[Sequence[slice]]
    documents: dict[str, int]


class Scored(NamedTuple):
    """Every row's score, and the rows that have one."""

    scores: Scores
    chosen: Rows


class WordTable:
    """Rows of terms, each at the place of its memory; a later row of a memory replaces the first.

    Rows are held in parts, the largest first, each of which is never changed.
    """

    __slots__ = (
        "_current",
        "_first",
        "_k",
        "_parts",
        "_places",
        "_row_of",
        "_vocabulary",
        "length",
        "rows",
    )

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._parts: list[Postings] = []
        self._first: list[int] = []
        self._places = Column(np.int32)
        self._current = Column(np.bool_)
        self._row_of = Column(np.int32)
        self._k: tuple[float, int, Scores] = (0.0, 0, np.empty(0))
        self.rows = 0
        """Of how many memories it holds the words."""
        self.length = 0
        """How many distinct terms these have, summed up."""

    @property
    def nbytes(self) -> int:
        """What it takes in memory, without the vocabulary."""
        columns = (
            self._places.nbytes + self._row_of.nbytes + self._current.nbytes + self._k[2].nbytes
        )
        return columns + sum(part.nbytes for part in self._parts)

    def add(self, places: Places, part: Postings) -> None:
        """Hold the words of these memories, made with the same vocabulary."""
        if not len(part):
            return
        self.drop(places)
        first = len(self._places)
        self._places.extend(places)
        self._current.extend(np.ones(len(places), dtype=np.bool_))
        self._row_of.fill_to(int(places.max()) + 1, -1)
        self._row_of.values[places] = np.arange(first, first + len(places), dtype=np.int32)
        self._parts.append(part)
        self._first.append(first)
        self.rows += len(part)
        self.length += int(part.lengths.sum())
        while len(self._parts) > 1 and len(self._parts[-1]) * _FAN_IN >= len(self._parts[-2]):
            self._first.pop()
            self._parts[-2:] = [Postings.joined(self._parts[-2:])]

    def drop(self, places: Places) -> None:
        """Forget the words of these memories, as far as any are held."""
        rows = self.rows_of(places)
        held = places[rows >= 0]
        if len(held):
            self.rows -= len(held)
            self.length -= int(self._lengths()[rows[rows >= 0]].sum())
            self._current.values[rows[rows >= 0]] = False
            self._row_of.values[held] = -1

    def find(self, terms: Sequence[str]) -> Found:
        """Look the terms up, each given once."""
        numbers = np.array([self._vocabulary.get(term, -1) for term in terms], dtype=np.int64)
        spans = [part.spans(numbers) for part in self._parts]
        documents = dict.fromkeys(terms, 0)
        for part, first, own in zip(self._parts, self._first, spans, strict=True):
            current = self._current.values[first : first + len(part)]
            whole = current.all()
            for term, span in zip(terms, own, strict=True):
                count = span.stop - span.start
                if count and not whole:
                    count = int(np.count_nonzero(current[part.rows[span]]))
                documents[term] += count
        return Found(spans, documents)

    def score(self, asked: AskedTerms, found: Found) -> Scored:
        """Return the score of every row, 0 where it shares no word, and which rows have one."""
        scores, k = np.zeros(len(self._places)), self._saturations()
        chosen = [np.empty(0, dtype=np.int32)]
        for part, first, spans in zip(self._parts, self._first, found.spans, strict=True):
            own = scores[first : first + len(part)]
            own_k = k[first : first + len(part)]
            for term, span in zip(found.documents, spans, strict=True):
                idf = asked.idf.get(term)
                if idf is None or span.start == span.stop:
                    continue
                rows, counts = part.rows[span], part.counts[span]
                own[rows] += idf * (K1 + 1) * counts / (counts + own_k[rows])
            chosen.append(np.flatnonzero(own).astype(np.int32) + np.int32(first))
        rows = np.concatenate(chosen)
        current = self._current.values[rows]
        return Scored(scores, rows if current.all() else rows[current])

    def by_place(self, scores: Scores, count: int) -> Scores:
        """Return rows' scores by place, (count,): NaN where the words of none are held."""
        found = np.full(count, np.nan)
        known = self._row_of.values
        held = np.flatnonzero(known >= 0)
        found[held] = scores[known[held]]
        return found

    def places_of(self, rows: Rows) -> Places:
        """Return the memory of each row."""
        places: Places = self._places.values[rows]
        return places

    def rows_of(self, places: Places) -> Rows:
        """Return the row of each memory, -1 where none is held."""
        known = self._row_of.values
        if not len(places) or int(places.max()) < len(known):
            held: Rows = known[places]
            return held
        rows = np.full(len(places), -1, dtype=np.int32)
        inside = places < len(known)
        rows[inside] = known[places[inside]]
        return rows

    def _lengths(self) -> npt.NDArray[np.int32]:
        return np.concatenate([part.lengths for part in self._parts])

    def _saturations(self) -> Scores:
        """Return each row's k; it is made anew when the average length has changed."""
        average = self.length / self.rows if self.rows else 0.0
        if self._k[:2] != (average, len(self._places)):
            fixed, per_term = saturation(average)
            k: Scores = np.full(len(self._places), fixed)
            for part, first in zip(self._parts, self._first, strict=True):
                k[first : first + len(part)] += per_term * part.lengths
            self._k = average, len(self._places), k
        return self._k[2]
