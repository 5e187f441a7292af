"""A recall's candidates without a stack: the same texts, windows, signals and limits, in numpy.

For learning, which looks at thousands of questions at every change; the twin gives the same
candidates, by a test, and takes a hundred times as long.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from benchmarks.datasets import Corpus
from benchmarks.learning.vectors import KeptVectors
from pinak_ray.language.indexed_texts import index_text, windows_of
from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.ranking import Candidates
from pinak_ray.recall.recipes import DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL
from pinak_ray.testing.lexemes import lexemes

__all__ = ["Searchable"]

_MAX_TERMS = 32
_BEST = 50


class _Words:
    """BM25 over documents by postings; `rarity` is that of other documents where it is given."""

    def __init__(self, documents: Sequence[Counter[str]], b: float = 0.4) -> None:
        self.count = len(documents)
        self.having: dict[str, int] = Counter()
        places: dict[str, list[int]] = defaultdict(list)
        often: dict[str, list[int]] = defaultdict(list)
        for at, document in enumerate(documents):
            for term, times in document.items():
                places[term].append(at)
                often[term].append(times)
        self.postings = {
            term: (np.array(places[term]), np.array(often[term], dtype=np.float64))
            for term in places
        }
        lengths = np.array([len(document) for document in documents], dtype=np.float64)
        self.k = 1.2 * (1 - b + b * lengths / max(lengths.mean(), 1.0))

    def rarity(self, term: str) -> float:
        having = len(self.postings[term][0]) if term in self.postings else 0
        return float(np.log(1 + (self.count - having + 0.5) / (having + 0.5)))

    def scores(self, asked: Sequence[tuple[str, float]]) -> Scores:
        total = np.zeros(self.count)
        for term, rarity in asked:
            if term in self.postings:
                at, times = self.postings[term]
                total[at] += rarity * 2.2 * times / (times + self.k[at])
        return np.where(total > 0, total, np.nan)


@dataclass(frozen=True, slots=True)
class _Entries:
    rows: list[dict[str, Any]]
    own: npt.NDArray[np.float32]
    window: npt.NDArray[np.float32]


class Searchable:
    """One corpus, whose questions can be asked for their candidates."""

    def __init__(self, corpus: Corpus, vectors: KeptVectors, *, b: float = 0.4) -> None:
        self.corpus = corpus
        self.keys = [entry.key for entry in corpus.entries]
        rows = [
            {
                "id": UUID(int=at),
                "content": entry.content,
                "agent": entry.agent,
                "session": entry.session,
                "occurred_at": entry.occurred_at,
            }
            for at, entry in enumerate(corpus.entries)
        ]
        texts = [index_text(e.agent, e.session, e.content) for e in corpus.entries]
        around = dict(_around(corpus, texts))
        lexical = [around[at][0] if at in around else text for at, text in enumerate(texts)]
        dense = [around[at][1] if at in around else text for at, text in enumerate(texts)]
        self._words = _Words([lexemes(text) for text in texts], b)
        self._said = _Words([lexemes(text) for text in lexical], b)
        self._entries = _Entries(rows, vectors.of(texts), vectors.of(dense))
        self._asked = vectors.of([query.text for query in corpus.queries])

    def candidates(self, number: int) -> tuple[npt.NDArray[np.int64], Candidates]:
        """Return the places and the candidates of one of the corpus's questions."""
        vector = self._asked[number]
        asked = self._terms(self.corpus.queries[number].text)
        signals = {
            DENSE: _cosines(self._entries.own, vector),
            LEXICAL: self._words.scores(asked),
            WINDOW_DENSE: _cosines(self._entries.window, vector),
            WINDOW_LEXICAL: self._said.scores(asked),
        }
        best = {name: _best(scores) for name, scores in signals.items()}
        places = np.array(sorted(set().union(*best.values())), dtype=np.int64)
        return places, Candidates(
            [self._entries.rows[at] for at in places],
            {name: scores[places] for name, scores in signals.items()},
            {name: len(found) for name, found in best.items()},
        )

    def _terms(self, text: str) -> list[tuple[str, float]]:
        rarity = {term: self._words.rarity(term) for term in lexemes(text)}
        return sorted(rarity.items(), key=lambda each: (-each[1], each[0]))[:_MAX_TERMS]


def _around(corpus: Corpus, texts: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    sessions: dict[str, list[int]] = defaultdict(list)
    for at, entry in enumerate(corpus.entries):
        if entry.session is not None:
            sessions[entry.session].append(at)
    for places in sessions.values():
        ids = [UUID(int=at) for at in places]
        for at, window in zip(places, windows_of(ids, [texts[p] for p in places]), strict=True):
            yield at, (window.lexical, window.dense)


def _cosines(vectors: npt.NDArray[np.float32], vector: npt.NDArray[np.float32]) -> Scores:
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.asarray((vectors @ vector) / lengths, dtype=np.float64)


def _best(scores: Scores) -> list[int]:
    known = np.flatnonzero(~np.isnan(scores))
    return [int(at) for at in known[np.argsort(-scores[known], kind="stable")][:_BEST]]
