"""How much a word tells, and by which words documents are chosen: BM25's law, as the SQL has it.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); k1 = 1.2,
b = .4. `pinak.query_terms` and `pinak.selective_matcher` say the same in the database.
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
# Words choose what is scored as long as they match so many documents together.
_MOST_MATCHES = 5_000


def saturation(average_length: float) -> tuple[float, float]:
    """Return (fixed, per term) of k: a document of n terms has k = fixed + per term * n.

    Where no length is known every document is an average one.
    """
    if average_length <= 0:
        return K1, 0.0
    return K1 * (1 - _B), K1 * _B / max(average_length, 1.0)


@dataclass(frozen=True, slots=True)
class AskedTerms:
    """The terms of a question: how rare each is, and which of them choose documents.

    A document is chosen by `any_of`, any of which it has, or, where even the rarest word is common,
    by `all_of`.
    """

    idf: Mapping[str, float]
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()

    @classmethod
    def of(cls, documents: Mapping[str, int], corpus: int, *, spread: float = 1.0) -> Self:
        """Weigh the terms by how many of a corpus' documents have each.

        `spread`: in how many documents an occurrence counts, 5 for windows.
        """
        idf = {
            term: math.log(1 + (max(corpus - df, 0) + 0.5) / (df + 0.5))
            for term, df in documents.items()
        }
        by_rarity = sorted(idf, key=lambda term: (-idf[term], term))[:_MOST_TERMS]
        idf = {term: idf[term] for term in by_rarity}
        if not by_rarity or not corpus:
            return cls(idf, tuple(by_rarity))
        matches = [min(spread * documents[term], corpus) for term in by_rarity]
        if matches[0] <= _MOST_MATCHES:
            return cls(idf, tuple(by_rarity[: _how_many(matches)]))
        expected, chosen = float(corpus), 0
        for matching in matches:
            if chosen and expected <= _MOST_MATCHES:
                break
            expected *= max(matching, 0.5) / corpus
            chosen += 1
        return cls(idf, all_of=tuple(by_rarity[:chosen]))


def _how_many(matches: list[float]) -> int:
    """Return how many of the rarest words match few enough together; at least one."""
    together = 0.0
    for place, matching in enumerate(matches):
        together += matching
        if place and together > _MOST_MATCHES:
            return place
    return len(matches)
