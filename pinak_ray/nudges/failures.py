"""Evidence: which past failures resemble what an agent is about to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from pinak_ray.records.recall import Hit, Signal
from pinak_ray.store.database import Database
from pinak_ray.store.hits import Row, hit_from_row
from pinak_ray.store.queries import query

__all__ = ["FLOOR", "Failure", "choose", "scored", "similar_failures"]

# Of the labelled intents, 0.45 keeps false alarms at 7% with the gate opening at 0.15.
FLOOR = 0.45
# A second nudge must be nearly as good as the first; with three, precision falls to .72.
_NEAR_THE_BEST = 0.9
# Precision of the first failure is best from 0.25 to 0.33; 0.2 and 0.35 lose 4 points.
_LEXICAL_WEIGHT = 0.25
# Each signal's best 50 hold the winner: a failure in neither list lacks both similarity and words.
_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """A past failure: cosine in [-1, 1], BM25 >= 0, and score = cosine + 0.25 BM25 / best BM25."""

    row: Row
    similarity: float
    bm25: float
    score: float

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
    """Return failures by falling score; each row has its `similarity` and its BM25, `lexical`."""
    best = max((row["lexical"] for row in rows), default=0.0)
    failures = [_scored(row, best) for row in rows]
    return sorted(failures, key=lambda failure: (-failure.score, failure.row["id"]))


def _scored(row: Row, best_bm25: float) -> Failure:
    words = row["lexical"] / best_bm25 if best_bm25 > 0 else 0.0
    score = row["similarity"] + _LEXICAL_WEIGHT * words
    return Failure(row, row["similarity"], row["lexical"], score)


def choose(failures: list[Failure], k: int) -> list[Failure]:
    """Return at most `k` of the failures, given best first: above the floor and near the best."""
    if not failures:
        return []
    floor = max(FLOOR, _NEAR_THE_BEST * failures[0].score)
    return [failure for failure in failures[:k] if failure.score >= floor]
