"""Evidence: which past failures resemble what an agent is about to do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pinak_ray.records.recall import Hit, Signal
from pinak_ray.store.database import Database
from pinak_ray.store.hits import Row, hit_from_row
from pinak_ray.store.queries import query

__all__ = ["FLOOR", "Failure", "choose", "scored", "similar_failures"]

# For 97 labelled intents (gate.py), 0.40 brings 3 more wrong warnings, 0.50 loses 2 right ones.
FLOOR = 0.45
# A second nudge must be nearly as good as the first; with three, precision falls to .75.
_NEAR_THE_BEST = 0.9
# The first failure is right for .83 of the risky intents from 0.4 to 0.5, for .81 at 0.3 and 0.6.
_LEXICAL_WEIGHT = 0.4
# Shared words say all that words can once they weigh as much as two that only one memory has.
# Measured against the best failure instead, an everyday word counts in full wherever nothing better
# is shared: at the same recall .84 of the warnings were right, not .89.
_RARE_WORDS = 2
# Each signal's best 50 hold the winner: a failure in neither list lacks both similarity and words.
_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """A past failure: cosine in [-1, 1], BM25 >= 0, and that as `words`, in [0, 1]."""

    row: Row
    similarity: float
    bm25: float
    words: float

    @property
    def score(self) -> float:
        """Similarity + 0.4 words, at most 1.4."""
        return self.similarity + _LEXICAL_WEIGHT * self.words

    def hit(self) -> Hit:
        """Return the failure as the evidence that a nudge carries."""
        signals = (Signal("dense", self.similarity, None), Signal("lexical", self.bm25, None))
        return hit_from_row(self.row, self.score, signals=signals)


async def similar_failures(
    database: Database, namespace_id: int, *, model_id: int, text: str, vector: bytes
) -> list[Failure]:
    """Return the failures that resemble the intent, best first; `vector` is in halfvec form."""
    async with database.reading(namespace_id) as connection:
        rows = await connection.fetch(
            query("nudges", "similar_failures"), namespace_id, model_id, text, vector, _CANDIDATES
        )
    return scored(rows)


def scored(rows: Sequence[Row]) -> list[Failure]:
    """Return failures by falling score.

    Each row has its `similarity`, its BM25, `lexical`, and how many `documents` its namespace has.
    """
    failures = [_scored(row) for row in rows]
    return sorted(failures, key=lambda failure: (-failure.score, failure.row["id"]))


def _scored(row: Row) -> Failure:
    one_has_it = math.log(1 + (max(row["documents"], 1) - 0.5) / 1.5)  # such a word's BM25
    words = min(row["lexical"] / (_RARE_WORDS * one_has_it), 1.0)
    return Failure(row, row["similarity"], row["lexical"], words)


def choose(failures: list[Failure], k: int) -> list[Failure]:
    """Return at most `k` of the failures, given best first: above the floor and near the best."""
    if not failures:
        return []
    floor = max(FLOOR, _NEAR_THE_BEST * failures[0].score)
    return [failure for failure in failures[:k] if failure.score >= floor]
