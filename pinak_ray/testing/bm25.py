"""BM25 over lexemes, as `migrations/versions/0001_search.sql` computes it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pinak_ray.recall.fusion import Scores

__all__ = ["bm25", "idf"]

_MAX_TERMS = 32


def bm25(
    query: Mapping[str, int],
    documents: Sequence[Counter[str]],
    *,
    corpus: Sequence[Counter[str]] | None = None,
) -> Scores:
    """Return each document's score for the query's lexemes, shape (n,); NaN where none occurs.

    k1 = 1.2, b = 0.4; a document's length is its count of distinct lexemes. How rare a lexeme is
    in `corpus` counts, which is the documents themselves unless these are windows.
    """
    rarity = {term: idf(term, documents if corpus is None else corpus) for term in query}
    rarest = sorted(rarity, key=lambda term: (-rarity[term], term))[:_MAX_TERMS]
    average = sum(map(len, documents)) / max(len(documents), 1)

    def score(document: Counter[str]) -> float:
        found = [term for term in rarest if term in document]
        k = 0.72 + 0.48 * len(document) / max(average, 1)
        return sum(
            rarity[term] * 2.2 * document[term] / (document[term] + k) for term in found
        ) or (math.nan)

    return np.array([score(document) for document in documents], dtype=np.float64)


def idf(term: str, documents: Sequence[Counter[str]]) -> float:
    """Return how rare a lexeme is among these documents; greater than 0."""
    having = sum(term in document for document in documents)
    return math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
