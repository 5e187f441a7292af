"""Grades over PostgreSQL: what they are made of, what they leave behind, and for whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pinak_ray.recall.grading.graded_recall import GradedRecall
from pinak_ray.recall.grading.rules import Grader, Retrieval, RuleGrader
from pinak_ray.records.asking import asked
from pinak_ray.records.memory.grades import Grade, Quality, RetrievalGrade, Support
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.feedback.retrieval_feedback import usefulness_of
from tests.support.remembered import EMBEDDER, index_all, register, remember

pytestmark = pytest.mark.postgres

NAMESPACE, OTHER = 7, 8
QUESTION = "which port does the API gateway listen on?"
GATEWAY = "The API gateway listens on port 8443."
ROWS = (
    "SELECT namespace_id, memory_id, agent, score FROM pinak.retrieval_feedback"
    " ORDER BY namespace_id, memory_id, agent, question"
)


async def graded(
    database: Database,
    query: str,
    ids: list[UUID],
    *,
    agent: str = "ada",
    answer: str | None = None,
    namespace_id: int = NAMESPACE,
    grader: Grader | None = None,
) -> RetrievalGrade:
    """Grade as a recaller does."""
    model_id = await register(database)
    owner = Owner(namespace_id, Space.AGENT, agent)
    request = asked(Grade, owner, query=query, memory_ids=ids, answer=answer)
    return await GradedRecall(database, EMBEDDER, model_id, grader).grade(request)


async def gateway_and_lunch(database: Database) -> tuple[UUID, UUID]:
    """Store one memory that answers the question, one that does not, and some more words."""
    gateway = await remember(database, NAMESPACE, GATEWAY)
    lunch = await remember(database, NAMESPACE, "Lunch is served at noon.")
    for other in ("the printer jams", "the printer listens to nobody", "all ports are closed"):
        await remember(database, NAMESPACE, other)
    await index_all(database, await register(database))
    return gateway, lunch


async def rows(database: Database) -> list[tuple[object, ...]]:
    """Return all feedback."""
    async with database.service() as connection:
        return [tuple(row) for row in await connection.fetch(ROWS)]


async def test_a_good_retrieval_is_correct_and_raises_its_memory(database: Database) -> None:
    """The memory that answers is relevant and worth more than nothing, the other one less."""
    gateway, lunch = await gateway_and_lunch(database)
    grade = await graded(database, QUESTION, [lunch, gateway])

    assert (grade.quality, grade.action, grade.uncovered) == ("correct", "use", ())
    assert [(each.id, each.relevant) for each in grade.memories] == [
        (gateway, True), (lunch, False),
    ]  # fmt: skip
    assert grade.memories[0].score > 0 > grade.memories[1].score
    assert [(each.usefulness, each.grades) for each in grade.memories] == [
        (each.score, 1) for each in grade.memories
    ]


async def test_a_foreign_question_is_incorrect(database: Database) -> None:
    """Nothing is relevant to a question about other things; its words are named, as they stand."""
    ids = await gateway_and_lunch(database)
    grade = await graded(database, "Who painted the yellow submarine?", list(ids))

    assert (grade.quality, grade.action, grade.cover) == ("incorrect", "discard", 0)
    assert sorted(grade.uncovered) == ["painted", "submarine", "yellow"]
    assert not any(each.relevant for each in grade.memories)


async def test_a_half_covered_question_is_to_be_refined(database: Database) -> None:
    """What no relevant memory has is what to recall next, the rarest first."""
    gateway, _ = await gateway_and_lunch(database)
    question = "which port does the gateway listen on and who renews its certificate?"
    grade = await graded(database, question, [gateway])

    assert (grade.quality, grade.action) == ("ambiguous", "refine")
    assert sorted(grade.uncovered) == ["certificate", "renews"]
    assert [each.relevant for each in grade.memories] == [True]


async def test_rare_words_weigh_more_than_common_ones(database: Database) -> None:
    """Of two memories with one word of the question each, that with the rarer one covers more."""
    rare = await remember(database, NAMESPACE, "a zeppelin landed")
    common = await remember(database, NAMESPACE, "printer one")
    for number in range(20):
        await remember(database, NAMESPACE, f"printer number {number}")
    await index_all(database, await register(database))
    grade = await graded(database, "zeppelin printer", [common, rare])
    covers = {each.id: each.cover for each in grade.memories}

    assert covers[rare] > 0.8
    assert covers[common] < 0.2
    assert sum(covers.values()) == pytest.approx(1)


async def test_what_is_not_embedded_yet_is_graded_by_its_words(database: Database) -> None:
    """A durable memory has no vector for a while; it is relevant all the same."""
    gateway = await remember(database, NAMESPACE, GATEWAY)
    (memory,) = (await graded(database, QUESTION, [gateway])).memories

    assert memory.similarity is None
    assert (memory.cover, memory.relevance, memory.relevant) == (1, 1, True)


async def test_an_answer_is_checked_word_by_word(database: Database) -> None:
    """Numbers and names that no memory has are named; another value contradicts its memory."""
    gateway, lunch = await gateway_and_lunch(database)
    right = await graded(database, QUESTION, [gateway, lunch], answer="on port 8443")
    made_up = await graded(database, QUESTION, [gateway, lunch], answer="Mallory's laptop, 31337")
    wrong = await graded(database, QUESTION, [gateway, lunch], answer="port 9443")

    assert right.answer is not None
    assert made_up.answer is not None
    assert wrong.answer is not None
    assert (right.answer.support, right.answer.supported) == (Support.FULL, 1)
    assert (right.answer.unsupported, right.answer.contradicts) == ((), ())
    assert made_up.answer.support is Support.NONE
    assert sorted(made_up.answer.unsupported) == ["31337", "laptop", "mallory"]
    assert wrong.answer.support is Support.CONTRADICTED
    (against,) = wrong.answer.contradicts
    assert (against.memory_id, against.differs) == (gateway, "port 9443, known as 8443")


async def test_out_of_date_memories_are_named_and_lose(database: Database) -> None:
    """A superseded, an expired and a contradicted memory are not kept; a forgotten one is gone."""
    day = timedelta(days=1)
    now = datetime.now(UTC)
    old, new, outdated, over, forgotten = [
        await remember(database, NAMESPACE, text, occurred_at=now - age)
        for text, age in (
            (GATEWAY, 9 * day), (GATEWAY.replace("8443", "9443"), day),
            (GATEWAY.replace("8443", "8080"), 5 * day), (GATEWAY, 7 * day), (GATEWAY, day),
        )
    ]  # fmt: skip
    await index_all(database, await register(database))
    async with database.service() as connection:
        for statement, memory_id in (
            (f"superseded_by = '{new}'", old),
            ("expires_at = now() - interval '1 s'", over),
            ("expires_at = '-infinity'", forgotten),
        ):
            await connection.execute(
                f"UPDATE pinak.memories SET {statement} WHERE id = $1", memory_id
            )
    grade = await graded(database, QUESTION, [old, new, outdated, over, forgotten])
    by_id = {each.id: each for each in grade.memories}

    assert grade.quality is Quality.CORRECT
    assert [each.id for each in grade.memories if each.relevant] == [new]
    assert by_id[old].superseded_by == new
    assert [each.id for each in grade.memories if each.expired] == [over]
    assert [by_id[each].score for each in (old, over, outdated)] == [-1] * 3
    (conflict,) = grade.conflicts
    assert (conflict.later, conflict.earlier) == (new, outdated)
    assert conflict.differs == "port 9443, known as 8080"
    assert grade.missing == (forgotten,)


async def test_stale_memories_alone_are_no_reason_to_look_elsewhere(database: Database) -> None:
    """Where all that bears on the question is superseded, recall is to be asked again."""
    gateway, lunch = await gateway_and_lunch(database)
    async with database.service() as connection:
        await connection.execute(
            "UPDATE pinak.memories SET superseded_by = $1 WHERE id = $2", uuid4(), gateway
        )
    grade = await graded(database, QUESTION, [gateway, lunch])

    assert (grade.quality, grade.action) == ("ambiguous", "refine")
    assert set(grade.uncovered) == {"api", "gateway", "listen", "port"}


async def test_nothing_recalled_is_incorrect(database: Database) -> None:
    """No memory at all, or only unknown ones: look elsewhere; nothing is written."""
    unknown = uuid4()
    empty, missing = [await graded(database, QUESTION, ids) for ids in ([], [unknown])]

    assert (empty.quality, empty.memories, empty.relevance) == (Quality.INCORRECT, (), 0)
    assert (missing.quality, missing.missing) == (Quality.INCORRECT, (unknown,))
    assert await rows(database) == []


async def test_the_same_grading_counts_once(database: Database) -> None:
    """One row an agent, memory and question, however the question is spaced: the last one."""
    gateway, lunch = await gateway_and_lunch(database)
    first = await graded(database, QUESTION, [gateway, lunch])
    again = await graded(database, f"  {QUESTION.upper()} ", [gateway, lunch])
    bob = await graded(database, QUESTION, [gateway], agent="bob")
    other = await graded(database, "where is lunch?", [gateway], agent="bob")

    assert [each.grades for each in (*first.memories, *again.memories)] == [1] * 4
    assert [each.grades for each in (*bob.memories, *other.memories)] == [2, 3]
    assert len(await rows(database)) == 4
    mean = (2 * first.memories[0].score + other.memories[0].score) / 3
    assert other.memories[0].usefulness == pytest.approx(mean)
    async with database.reading(NAMESPACE) as connection:
        known = await usefulness_of(connection, NAMESPACE, [gateway, lunch, uuid4()])
    assert {id_: each.grades for id_, each in known.items()} == {gateway: 3, lunch: 1}
    assert known[gateway].mean == pytest.approx(mean)


async def test_feedback_ends_with_its_memory(database: Database) -> None:
    """What is removed leaves no grade behind."""
    gateway, lunch = await gateway_and_lunch(database)
    await graded(database, QUESTION, [gateway, lunch])
    async with database.service() as connection:
        await connection.execute("DELETE FROM pinak.memories WHERE id = $1", gateway)

    assert [row[1] for row in await rows(database)] == [lunch]


async def test_no_namespace_grades_anothers_memories(database: Database) -> None:
    """To another namespace the memory is missing: it neither reads it nor leaves feedback on it."""
    gateway, _ = await gateway_and_lunch(database)
    theirs = await graded(database, QUESTION, [gateway], namespace_id=OTHER)

    assert (theirs.missing, theirs.memories) == ((gateway,), ())
    assert await rows(database) == []


class Model:
    """Stands for a grader by a model: it doubts everything that the rules believe."""

    async def grade(self, retrieval: Retrieval) -> RetrievalGrade:
        """Return the rules' grade, as nothing."""
        grade = await RuleGrader().grade(retrieval)
        return replace(
            grade,
            quality=Quality.INCORRECT,
            memories=tuple(replace(each, score=-0.25) for each in grade.memories),
        )


async def test_a_model_can_grade_instead_of_the_rules(database: Database) -> None:
    """Its grade is what is returned and what is kept."""
    gateway, _ = await gateway_and_lunch(database)
    grade = await graded(database, QUESTION, [gateway], grader=Model())

    assert grade.quality is Quality.INCORRECT
    assert await rows(database) == [(NAMESPACE, gateway, "ada", -0.25)]
