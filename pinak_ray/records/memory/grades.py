"""How good a retrieval was: what an agent asks to be graded, and the grade."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import Field

from pinak_ray.records.fields import Ids, Question
from pinak_ray.records.ids import id_from_key
from pinak_ray.records.results import Result
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.wiring import Operation, Place, wired

__all__ = [
    "AnswerGrade",
    "Conflict",
    "Contradicted",
    "Grade",
    "GradeAction",
    "GradedMemory",
    "Quality",
    "RetrievalGrade",
    "Support",
    "Usefulness",
]


class Quality(StrEnum):
    """What a retrieval is as a whole (CRAG)."""

    CORRECT = "correct"
    AMBIGUOUS = "ambiguous"
    INCORRECT = "incorrect"


class GradeAction(StrEnum):
    """What to do with it: answer from it; keep the relevant memories and recall again with the
    uncovered words; or look elsewhere."""

    USE = "use"
    REFINE = "refine"
    DISCARD = "discard"


class Support(StrEnum):
    """How far the memories bear an answer out (Self-RAG's ISSUP)."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class GradedMemory(Result):
    """One of the memories, as far as it bears on the question."""

    id: UUID
    relevance: float
    """In [0, 1] (Self-RAG's ISREL)."""
    relevant: bool
    """Whether it is worth keeping for this question."""
    similarity: float | None
    """The cosine of question and memory; None where the memory is not embedded yet."""
    cover: float
    """The share of the question's words that it has, each weighted by its rarity; in [0, 1]."""
    support: float | None
    """The same of the answer's words; None without an answer."""
    superseded_by: UUID | None
    expired: bool
    score: float
    """What is kept as feedback on the memory, from -1 to 1."""
    usefulness: float = 0.0
    """The mean of all that was kept as feedback on it, this grade included."""
    grades: int = 0
    """How many these are."""


@dataclass(frozen=True, slots=True)
class Conflict(Result):
    """Two memories that give one thing different values; the later one holds."""

    later: UUID
    earlier: UUID
    differs: str


@dataclass(frozen=True, slots=True)
class Contradicted(Result):
    """A memory that an answer goes against, and in what."""

    memory_id: UUID
    differs: str


@dataclass(frozen=True, slots=True)
class AnswerGrade(Result):
    """How far an answer is borne out by the memories, and how far it answers the question."""

    support: Support
    supported: float
    """The share of its words that any memory has, each weighted by its rarity; in [0, 1]."""
    unsupported: tuple[str, ...]
    """The words (names and numbers too) that no memory has, rarest first."""
    contradicts: tuple[Contradicted, ...]
    utility: float
    """In [0, 1] (Self-RAG's ISUSE)."""


@dataclass(frozen=True, slots=True)
class RetrievalGrade(Result):
    """A graded retrieval: its quality, what to do, and why."""

    quality: Quality
    action: GradeAction
    relevance: float
    """That of the most relevant memory; in [0, 1]."""
    cover: float
    """The share of the question's words that the relevant memories have together; in [0, 1]."""
    uncovered: tuple[str, ...]
    """The words of the question that none of them has, rarest first."""
    memories: tuple[GradedMemory, ...]
    """Most relevant first."""
    missing: tuple[UUID, ...]
    """Of the given ids those that this namespace does not have (any more)."""
    conflicts: tuple[Conflict, ...]
    answer: AnswerGrade | None = None


@wired(Place.SEARCH, "POST /v1/recall/grade", writes=True, tag="recall")
class Grade(Operation[RetrievalGrade], frozen=True):
    """Grade the memories that a recall brought, and the answer; the grade is kept as feedback."""

    owner: Owner
    query: Question
    memory_ids: Annotated[
        Ids, Field(description="The memories that a recall brought; none is incorrect.")
    ]
    answer: Annotated[Question | None, Field(description="What was answered from them.")] = None

    @property
    def question_id(self) -> UUID:
        """The id of the question, however it is spaced or capitalised."""
        return id_from_key(0, "question", " ".join(self.query.lower().split()))


class Usefulness(NamedTuple):
    """The mean of a memory's grades, in [-1, 1], and how many they are."""

    mean: float
    grades: int
