"""Check a retrieval: gather what it is graded by, grade it, and keep the grade as feedback."""

from pinak_ray.embedding import Embedder, Vectors, encode_halfvec_one
from pinak_ray.language.terms import MAX_TERMS, Term, Terms
from pinak_ray.recall.grading.retrievals import retrieval_of, vectors_of, with_usefulness
from pinak_ray.recall.grading.rules import Grader, Retrieval, RuleGrader
from pinak_ray.records.memory.grades import Grade, RetrievalGrade
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.feedback.grading import memories_beside, terms_of
from pinak_ray.store.feedback.retrieval_feedback import keep_grades

__all__ = ["GradedRecall"]


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
        vectors = await vectors_of(self._embedder, operation)
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
