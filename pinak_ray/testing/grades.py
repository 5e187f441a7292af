"""Grades in a dictionary: the table of 0009, and everyone's rules over a twin's memories."""

from dataclasses import dataclass, field
from statistics import fmean
from uuid import UUID

from pinak_ray.embedding import encode_halfvec_one
from pinak_ray.recall.grading.retrievals import retrieval_of, vectors_of, with_usefulness
from pinak_ray.recall.grading.rules import graded
from pinak_ray.records.memory.grades import Grade, RetrievalGrade, Usefulness
from pinak_ray.testing.memories import LocalMemories

__all__ = ["LocalGrades"]


@dataclass(slots=True)
class LocalGrades:
    """The grades of every namespace of one twin."""

    memories: LocalMemories
    _scores: dict[tuple[int, UUID], dict[tuple[str, UUID], float]] = field(default_factory=dict)

    async def grade(self, operation: Grade) -> RetrievalGrade:
        """Return the grade, and keep each memory's score as feedback of the agent on it."""
        namespace_id, _, agent = operation.owner
        await self.memories.embed(namespace_id)
        vectors = await vectors_of(self.memories.embedder, operation)
        asked = self.memories.terms(namespace_id, operation.query)
        said = self.memories.terms(namespace_id, operation.answer or "")
        rows = self.memories.beside(
            namespace_id,
            operation.memory_ids,
            encode_halfvec_one(vectors[0]),
            asked.keys() | said.keys(),
        )
        grade = graded(retrieval_of(operation, asked, said, rows, vectors))
        known = {}
        for each in grade.memories:
            scores = self._scores.setdefault((namespace_id, each.id), {})
            scores[agent, operation.question_id] = each.score
            known[each.id] = Usefulness(fmean(scores.values()), len(scores))
        return with_usefulness(grade, known)
