"""Check a retrieval: gather what it is graded by, grade it, and keep the grade as feedback."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from pinak_ray.embedding import Embedder, Vectors, embed_queries, encode_halfvec_one
from pinak_ray.language.terms import MAX_TERMS, Term, Terms
from pinak_ray.recall.grading.answers import Answered
from pinak_ray.recall.grading.conflicts import Statement
from pinak_ray.recall.grading.rules import Grader, Retrieval, Retrieved, RuleGrader
from pinak_ray.records.memory.grades import Grade, RetrievalGrade
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.feedback.grading import memories_beside, terms_of
from pinak_ray.store.feedback.retrieval_feedback import Usefulness, keep_grades
from pinak_ray.store.memories.hits import Row

__all__ = ["GradedRecall", "retrieval_of", "with_usefulness"]


class GradedRecall:
    """Grades what was recalled; holds nothing but its parts, which it does not own."""

    __slots__ = ("_database", "_embedder", "_grader", "_model_id")

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        model_id: int,
        grader: Grader | None = None,
    ) -> None:
        """`grader` is who grades; by default the rules of `grading`."""
        self._database = database
        self._embedder = embedder
        self._model_id = model_id
        self._grader = grader or RuleGrader()

    async def grade(self, operation: Grade) -> RetrievalGrade:
        """Return the grade, and commit each memory's score as feedback of the agent on it."""
        owner = operation.owner
        vectors = await embed_queries(self._embedder, operation.texts)
        async with self._database.reading(owner.namespace_id) as connection:
            retrieval = await self._retrieval(connection, operation, vectors)
        grade = await self._grader.grade(retrieval)
        scores = {each.id: each.score for each in grade.memories}
        known = await keep_grades(self._database, owner, operation.question_id, scores)
        return with_usefulness(grade, known)

    async def _retrieval(
        self,
        connection: Connection,
        request: Grade,
        vectors: Vectors,
    ) -> Retrieval:
        namespace_id = request.owner.namespace_id
        asked = await _terms(connection, namespace_id, request.query)
        said = await _terms(connection, namespace_id, request.answer or "")
        rows = await memories_beside(
            connection,
            namespace_id,
            request.memory_ids,
            model_id=self._model_id,
            vector=encode_halfvec_one(vectors[0]),
            lexemes=asked.keys() | said.keys(),
        )
        return retrieval_of(request, asked, said, rows, vectors)


async def _terms(connection: Connection, namespace_id: int, text: str) -> Terms:
    terms = await terms_of(connection, namespace_id, text, limit=MAX_TERMS)
    return {lexeme: Term(*term) for lexeme, term in terms.items()}


def retrieval_of(
    request: Grade, asked: Terms, said: Terms, rows: Sequence[Row], vectors: Vectors
) -> Retrieval:
    """Return the retrieval of these rows.

    `asked` and `said` are the terms of question and answer, `vectors` theirs, shape (2, d) or, if
    there is no answer, (1, d).
    """
    found = {row["id"] for row in rows}
    answer = None
    if request.answer is not None:
        answer = Answered(request.answer, said, float(np.dot(*vectors)))
    return Retrieval(
        request.query,
        asked,
        tuple(_retrieved(row) for row in rows),
        tuple(each for each in request.memory_ids if each not in found),
        answer,
    )


def _retrieved(row: Row) -> Retrieved:
    return Retrieved(
        Statement(row["id"], row["content"], row["occurred_at"], row["created_at"]),
        row["similarity"],
        frozenset(row["terms"]),
        row["superseded_by"],
        row["expired"],
    )


def with_usefulness(grade: RetrievalGrade, known: Mapping[UUID, Usefulness]) -> RetrievalGrade:
    """Return the grade with what all grades together say of each memory."""
    return replace(
        grade,
        memories=tuple(
            replace(each, usefulness=known[each.id].mean, grades=known[each.id].grades)
            if each.id in known
            else each
            for each in grade.memories
        ),
    )
