"""Grading a retrieval: how relevant each memory is, and what the whole is good for.

CRAG's three grades and Self-RAG's relevance without a model: from the cosine of question and
memory, and from the question's words that the memory has, each weighted by its rarity. A model can
stand in for these rules: see `Grader`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from pinak_ray.language.terms import Terms, cover, lacking
from pinak_ray.recall.grading.answers import Answered, grade_answer
from pinak_ray.recall.grading.conflicts import Statement, conflicts
from pinak_ray.records.memory.grades import (
    AnswerGrade,
    GradeAction,
    GradedMemory,
    Quality,
    RetrievalGrade,
)

__all__ = ["Grader", "Retrieval", "Retrieved", "RuleGrader", "relevance"]

# Measured on five LoCoMo conversations, on the ten memories that the default recipe recalls for a
# question: three to choose these numbers, two for what is said here (docs/decisions/0027).
#
# Of a memory's cosine and its cover the mean tells evidence from what else was recalled as well as
# any other weights (AUC .73; cosine alone .66, cover alone .72).
_SIMILARITY_WEIGHT = 0.5
# Below this nothing is relevant: so it is for 82% of the questions that are foreign to a namespace,
# and for 4% of its own whose evidence was recalled.
RELEVANT = 0.33
# A memory much weaker than the best one is noise beside it: with both bounds 71% of the evidence is
# kept, and 36% of the rest.
_OF_BEST = 0.6
# From here on a retrieval is correct, if the relevant memories cover the question: so it is for 59%
# of the questions whose evidence was recalled, for no foreign one, and for 32% where the evidence
# was taken away: what resembles evidence cannot be told from it by words.
_CORRECT = 0.55
_CORRECT_COVER = 0.6
# What a memory is worth that does not bear on the question at all: it may bear on the next one. And
# one that is out of date, which misleads.
_USELESS = -0.5
_MISLEADING = -1.0
# Of an answer's words: a memory that has so many is one that the answer was drawn from.
_DRAWN_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One memory beside a question.

    `similarity` is their cosine (None: not embedded yet), `lexemes` are those of the question and
    the answer that the memory has.
    """

    statement: Statement
    similarity: float | None
    lexemes: frozenset[str]
    superseded_by: UUID | None
    expired: bool


@dataclass(frozen=True, slots=True)
class Retrieval:
    """All that a grade is made of; `missing` are ids without a memory."""

    question: str
    terms: Terms
    memories: tuple[Retrieved, ...]
    missing: tuple[UUID, ...]
    answer: Answered | None


class Grader(Protocol):
    """Grades a retrieval: by rules, or by a model."""

    async def grade(self, retrieval: Retrieval) -> RetrievalGrade:
        """Return the grade; of every memory it says a score in [-1, 1]."""
        ...


class RuleGrader:
    """Grades by cosine, words and the thresholds of this file."""

    async def grade(self, retrieval: Retrieval) -> RetrievalGrade:
        """Return the grade; the same for the same retrieval."""
        return graded(retrieval)


def relevance(similarity: float | None, covered: float) -> float:
    """Return how relevant a memory is, in [0, 1]; what is not embedded is told by its words."""
    if similarity is None:
        return covered
    weight = _SIMILARITY_WEIGHT
    return min(weight * max(similarity, 0.0) + (1 - weight) * covered, 1.0)


def graded(retrieval: Retrieval) -> RetrievalGrade:
    """Return the grade of a retrieval, its memories most relevant first."""
    terms, answer = retrieval.terms, retrieval.answer
    ranked = _ranked(retrieval)
    disagreements = conflicts([each.statement for each in ranked if each.holds])
    outdated = {each.earlier for each in disagreements}
    current = [each for each in ranked if each.holds and each.statement.id not in outdated]
    best = current[0].relevance if current else 0.0
    kept = [each for each in current if each.relevance >= max(RELEVANT, _OF_BEST * best)]
    covered = cover(terms, _together(kept))
    quality = _quality(ranked[0].relevance if ranked else 0.0, best, covered)
    said: AnswerGrade | None = None
    if answer is not None:
        statements = [each.statement for each in current]
        said = grade_answer(retrieval.question, terms, answer, statements, _together(current))
    return RetrievalGrade(
        quality,
        _ACTIONS[quality],
        best,
        covered,
        _uncovered(terms, kept),
        _graded_memories(ranked, answer, kept=_ids(kept), current=_ids(current)),
        retrieval.missing,
        disagreements,
        said,
    )


class _Judged(NamedTuple):
    memory: Retrieved
    cover: float
    relevance: float

    @property
    def statement(self) -> Statement:
        return self.memory.statement

    @property
    def holds(self) -> bool:
        return self.memory.superseded_by is None and not self.memory.expired


def _ranked(retrieval: Retrieval) -> list[_Judged]:
    judged = []
    for memory in retrieval.memories:
        covered = cover(retrieval.terms, memory.lexemes)
        judged.append(_Judged(memory, covered, relevance(memory.similarity, covered)))
    return sorted(judged, key=lambda each: (-each.relevance, each.statement.id))


_ACTIONS = {
    Quality.CORRECT: GradeAction.USE,
    Quality.AMBIGUOUS: GradeAction.REFINE,
    Quality.INCORRECT: GradeAction.DISCARD,
}


def _ids(judged: Collection[_Judged]) -> frozenset[UUID]:
    return frozenset(each.statement.id for each in judged)


def _together(judged: Collection[_Judged]) -> frozenset[str]:
    return frozenset().union(*(each.memory.lexemes for each in judged))


def _quality(nearest: float, best: float, covered: float) -> Quality:
    """`nearest` is the highest relevance, `best` that of a memory which still holds."""
    if nearest < RELEVANT:
        return Quality.INCORRECT
    if best >= _CORRECT and covered >= _CORRECT_COVER:
        return Quality.CORRECT
    return Quality.AMBIGUOUS  # also where all that bears on the question is out of date


def _uncovered(terms: Terms, kept: Sequence[_Judged]) -> tuple[str, ...]:
    """Return the words that no kept memory has; if they have all together, what the best lacks."""
    return lacking(terms, _together(kept)) or lacking(terms, _together(kept[:1]))


def _graded_memories(
    ranked: Sequence[_Judged],
    answer: Answered | None,
    *,
    kept: Collection[UUID],
    current: Collection[UUID],
) -> tuple[GradedMemory, ...]:
    graded = []
    for memory, covered, relevance in ranked:
        id_ = memory.statement.id
        support = None if answer is None else cover(answer.terms, memory.lexemes)
        graded.append(
            GradedMemory(
                id=id_,
                relevance=relevance,
                relevant=id_ in kept,
                similarity=memory.similarity,
                cover=covered,
                support=support,
                superseded_by=memory.superseded_by,
                expired=memory.expired,
                score=_score(relevance, support, stale=id_ not in current),
            )
        )
    return tuple(graded)


def _score(relevance: float, support: float | None, *, stale: bool) -> float:
    """Return what the memory was worth, from -1 to 1; 0 where it is just relevant."""
    if stale:
        return _MISLEADING
    if support is not None and support >= _DRAWN_FROM:
        return max(relevance, support)
    if relevance < RELEVANT:
        return _USELESS * (RELEVANT - relevance) / RELEVANT
    return (relevance - RELEVANT) / (1 - RELEVANT)
