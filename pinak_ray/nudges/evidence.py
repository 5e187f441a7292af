"""Evidence: memories that may bear on an intent, and how strongly each does."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from pinak_ray.embedding import Knows, similarity
from pinak_ray.nudges.usefulness import SILENCING_VOICES, explain, weight
from pinak_ray.records.memory.memories import Outcome
from pinak_ray.records.memory.recall import Hit, Signal
from pinak_ray.records.memory.rows import Row, hit_from_row

__all__ = ["CANDIDATES", "Evidence", "each_content", "scored"]

# The first failure is right for .83 of the risky intents from 0.4 to 0.5, for .81 at 0.3 and 0.6.
_LEXICAL_WEIGHT = 0.4
# Shared words say all that words can once they weigh as much as two that only one memory has.
# Measured against the best failure instead, an everyday word counts in full wherever nothing better
# is shared: at the same recall .84 of the warnings were right, not .89.
_RARE_WORDS = 2
# By chance alone the best of many unrelated failures resembles an intent more than the best of few.
# So for each time that there are e times more failures than a hundred, a score is less by _CHANCE,
# and words say more by _RARER: one that few of ten thousand have is worth ln n, a cosine what it
# was (docs/decisions/0054). Among 10,000 generated failures (benchmarks/crowd) 2 to 5 of 97 intents
# draw one of another matter; without the two constants it was 11 and 16, and of the right ones as
# many: precision there is .79 to .89, not .64 and .67.
_FEW = 100
_CHANCE = 0.065
_RARER = 0.2
# A failure in neither list lacks both similarity and words: with 10, 20 and 50 each of 97 intents
# drew the same among 10,000 failures, and looking up 50 took 2 ms longer (5 at p95).
CANDIDATES = 20
"""How many failures each signal brings."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A memory and an intent: similarity in [-1, 1], BM25 >= 0, and that as `words`, in [0, 1].

    Of a failure among more than a hundred, `crowd` is ln(failures / 100), and `words` may be more.
    `weight` is what the feedback of so many `voices` makes of it, `said` says so; `shown` holds the
    nudges of this memory that the agent has seen within the cool-down.
    """

    row: Row
    similarity: float
    bm25: float
    words: float
    weight: float = 1.0
    said: str = ""
    shown: frozenset[UUID] = frozenset()
    voices: int = 0
    crowd: float = 0.0
    copies: tuple[UUID, ...] = ()
    """The other memories of the same content, whose `shown` is among this one's."""

    @property
    def is_failure(self) -> bool:
        """True for a failure, False for a fact."""
        return bool(self.row["outcome"] == Outcome.FAILURE)

    @property
    def score(self) -> float:
        """(Similarity + 0.4 words, less what chance gives) * weight, at most 1.54 among few."""
        return self._bare * self.weight

    @property
    def audible(self) -> float:
        """What a floor is compared with: the score, or what it was before a single voice spoke."""
        return self.score if self.voices >= SILENCING_VOICES else max(self.score, self._bare)

    @property
    def _bare(self) -> float:
        return self.similarity + _LEXICAL_WEIGHT * self.words - self.chance

    @property
    def chance(self) -> float:
        """What the best of so many unrelated failures has in front of the best of a hundred."""
        return _CHANCE * self.crowd

    @property
    def reason(self) -> str:
        """What the score is made of."""
        parts = f"cosine {self.similarity:.2f}, BM25 {self.bm25:.1f}"
        if self.crowd:
            parts += f", less {self.chance:.2f} for the many failures there are"
        parts += self.said
        return f"evidence {self.score:.2f} ({parts})"

    def hit(self) -> Hit:
        """Return the memory as the evidence that a nudge carries."""
        signals: tuple[Signal, ...] = (
            Signal("dense", self.similarity, None, self.weight, self.weight * self.similarity),
            Signal(
                "lexical",
                self.bm25,
                None,
                self.weight * _LEXICAL_WEIGHT,
                self.weight * _LEXICAL_WEIGHT * self.words,
            ),
        )
        if self.crowd:
            weight = -self.weight * _CHANCE
            signals = (*signals, Signal("crowd", self.crowd, None, weight, weight * self.crowd))
        return hit_from_row(self.row, self.score, signals=signals)


def each_content(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the best evidence of each content; it is as little news as any copy of it."""
    best: dict[str, Evidence] = {}
    for each in evidence:
        content = each.row["content"]
        first = best.get(content)
        best[content] = (
            each
            if first is None
            else replace(
                first, shown=first.shown | each.shown, copies=(*first.copies, each.row["id"])
            )
        )
    return list(best.values())


def scored(rows: Sequence[Row], text: str, knows: Knows) -> list[Evidence]:
    """Return evidence for the intent's text by falling score.

    Each row has its `similarity`, its BM25, `lexical`, how many `documents` and `failures` its
    namespace has, the sum of what each of its `agents` said (`usefulness`), and the nudges lately
    `shown`.
    """
    evidence = [_scored(row, text, knows) for row in rows]
    return sorted(evidence, key=lambda each: (-each.score, each.row["id"]))


def _scored(row: Row, text: str, knows: Knows) -> Evidence:
    one_has_it = math.log(1 + (max(row["documents"], 1) - 0.5) / 1.5)  # such a word's BM25
    is_failure = row["outcome"] == Outcome.FAILURE
    crowd = math.log(max(row["failures"], _FEW) / _FEW) if is_failure else 0.0
    words = min(row["lexical"] / (_RARE_WORDS * one_has_it), 1.0) * (1 + _RARER * crowd)
    usefulness, agents = row["usefulness"], row["agents"]
    return Evidence(
        row,
        similarity(row["similarity"], text, row["content"], knows),
        row["lexical"],
        words,
        weight(usefulness, agents),
        explain(usefulness, agents),
        frozenset(row["shown"]),
        agents,
        crowd,
    )
