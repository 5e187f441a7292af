"""How much a word tells: BM25's law, as the SQL has it.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); k1 = 1.2,
b = .4. `pinak.query_terms` says the same in the database.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

__all__ = ["K1", "AskedTerms", "saturation"]

K1: Final = 1.2
_B: Final = 0.4
# A long text's other words are common ones that cost more than they tell.
_MOST_TERMS = 32


def saturation(average_length: float) -> tuple[float, float]:
    """Return (fixed, per term) of k: a document of n terms has k = fixed + per term * n.

    Where no length is known every document is an average one.
    """
    if average_length <= 0:
        return K1, 0.0
    return K1 * (1 - _B), K1 * _B / max(average_length, 1.0)


@dataclass(frozen=True, slots=True)
class AskedTerms:
    """The terms of a question, the rarest ones, and how rare each is."""

    idf: Mapping[str, float]

    @classmethod
    def of(cls, documents: Mapping[str, int], corpus: int) -> Self:
        """Weigh the terms by how many of a corpus' documents have each."""
        idf = {
            term: math.log(1 + (max(corpus - df, 0) + 0.5) / (df + 0.5))
            for term, df in documents.items()
        }
        by_rarity = sorted(idf, key=lambda term: (-idf[term], term))[:_MOST_TERMS]
        return cls({term: idf[term] for term in by_rarity})
