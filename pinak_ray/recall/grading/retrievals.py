"""From rows to what is graded, and from all grades to what each memory has been worth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from pinak_ray.embedding import Embedder, Vectors, embed_queries, embed_soon
from pinak_ray.language.terms import Terms
from pinak_ray.recall.grading.answers import Answered
from pinak_ray.recall.grading.conflicts import Statement
from pinak_ray.recall.grading.rules import Retrieval, Retrieved
from pinak_ray.records.memory.grades import Grade, RetrievalGrade, Usefulness
from pinak_ray.records.memory.rows import Row

__all__ = ["retrieval_of", "vectors_of", "with_usefulness"]


async def vectors_of(embedder: Embedder, request: Grade) -> Vectors:
    """Return the vector of the question, and behind it that of the answer, if there is one."""
    asked = await embed_queries(embedder, [request.query])
    if request.answer is None:
        return asked
    return np.concatenate([asked, await embed_soon(embedder, [request.answer])])


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
