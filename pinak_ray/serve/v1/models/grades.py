"""Body and answer of `/v1/recall/grade`."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from pinak_ray.records.limits import MAX_K
from pinak_ray.records.memory.grades import GradeAction, GradeRequest, Quality, Support, new_grade
from pinak_ray.serve.v1.models.base import Answer, Body, IdField, NameField, QuestionField

__all__ = ["GradeAnswer", "GradeBody"]

_EXAMPLE: dict[str, Any] = {
    "query": "which port does the API gateway listen on?",
    "memory_ids": ["01990000-0000-7000-8000-000000000000"],
    "answer": "port 8443",
}


class GradeBody(Body):
    """A question, what was recalled for it, and what was answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    query: QuestionField = Field(description="The question; at most 8 KiB of UTF-8.")
    memory_ids: list[IdField] = Field(
        max_length=MAX_K, description="The memories that a recall brought; none is incorrect."
    )
    answer: QuestionField | None = Field(
        None, description="What was answered from them; at most 8 KiB of UTF-8."
    )
    agent: NameField | None = Field(None, description="Who asks; the token's subject if absent.")

    def request(self) -> GradeRequest:
        """Return the checked request; raises InvalidInput."""
        return new_grade(self.query, self.memory_ids, answer=self.answer)


class GradedMemoryAnswer(Answer):
    """One of the memories, as far as it bears on the question."""

    id: UUID
    relevance: float = Field(ge=0, le=1)
    relevant: bool = Field(description="Whether it is worth keeping for this question.")
    similarity: float | None = Field(description="Null where it is not embedded yet.")
    cover: float = Field(ge=0, le=1, description="Of the question's words, weighted by rarity.")
    support: float | None = Field(description="The same of the answer's words.")
    superseded_by: UUID | None
    expired: bool
    score: float = Field(ge=-1, le=1, description="What is kept as feedback on it.")
    usefulness: float = Field(ge=-1, le=1, description="The mean of all grades of it.")
    grades: int = Field(ge=0, description="How many these are.")


class ConflictAnswer(Answer):
    """Two memories that give one thing different values; the later one holds."""

    later: UUID
    earlier: UUID
    differs: str


class ContradictedAnswer(Answer):
    """A memory that the answer goes against."""

    memory_id: UUID
    differs: str


class AnswerGradeAnswer(Answer):
    """How far an answer is borne out, and answers."""

    support: Support
    supported: float = Field(ge=0, le=1)
    unsupported: list[str] = Field(description="Words that no memory has, rarest first.")
    contradicts: list[ContradictedAnswer]
    utility: float = Field(ge=0, le=1)


class GradeAnswer(Answer):
    """A graded retrieval."""

    quality: Quality
    action: GradeAction = Field(
        description="`use` it; `refine`: keep what is relevant, and recall again with `uncovered`; "
        "`discard`: look elsewhere."
    )
    relevance: float = Field(ge=0, le=1, description="That of the most relevant memory.")
    cover: float = Field(ge=0, le=1)
    uncovered: list[str] = Field(description="Words of the question, rarest first.")
    memories: list[GradedMemoryAnswer] = Field(description="Most relevant first.")
    missing: list[UUID] = Field(description="Ids that this namespace does not have (any more).")
    conflicts: list[ConflictAnswer]
    answer: AnswerGradeAnswer | None
