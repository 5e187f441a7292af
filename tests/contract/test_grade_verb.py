"""The contract of grades: the same over Ray, over HTTP and in the twin."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray import InvalidInput, Swarm
from pinak_ray.records.memory.grades import GradeAction, Quality, Support
from pinak_ray.records.memory.recall import RecallResult

QUESTION = "which port does the API gateway listen on?"
GATEWAY = "The API gateway listens on port 8443."
LUNCH = "Lunch is served at noon."


async def remembered(swarm: Swarm, *texts: str) -> list[UUID]:
    """Remember texts, each a day after the one before, and wait until they are searchable."""
    ada, start = swarm.agent("ada"), datetime.now(UTC) - timedelta(days=30)
    return [
        (await ada.remember(text, occurred_at=start + timedelta(days=day), ack="searchable")).id
        for day, text in enumerate(texts)
    ]


def ids_of(result: RecallResult) -> list[UUID]:
    """Return what a recall brought, as it is given to `grade`."""
    return [hit.id for hit in result.hits]


async def test_a_recall_is_graded(swarm: Swarm) -> None:
    """What answers the question is correct and kept, what does not is not; both hear of it."""
    gateway, lunch = await remembered(swarm, GATEWAY, LUNCH)
    ada = swarm.agent("ada")
    found = ids_of(await ada.recall(QUESTION, recipe="lexical"))
    grade = await ada.grade(QUESTION, [*found, str(lunch)])

    assert found == [gateway]
    assert (grade.quality, grade.action) == (Quality.CORRECT, GradeAction.USE)
    assert (grade.cover, grade.uncovered, grade.missing, grade.conflicts) == (1, (), (), ())
    best, worst = grade.memories
    assert (best.id, best.relevant, best.cover, best.support) == (gateway, True, 1, None)
    assert (worst.id, worst.relevant, worst.cover, worst.superseded_by) == (lunch, False, 0, None)
    assert best.relevance == grade.relevance > 0.5 > worst.relevance
    assert 1 >= best.score == best.usefulness > 0 > worst.score == worst.usefulness >= -1
    assert grade.answer is None


async def test_what_to_recall_next_is_named(swarm: Swarm) -> None:
    """Of a half covered question the rest is to be recalled; of a foreign one nothing helps."""
    gateway, _ = await remembered(swarm, GATEWAY, LUNCH)
    ada = swarm.agent("ada")
    half = await ada.grade(f"{QUESTION} Who renews its certificate?", [gateway])
    foreign = await ada.grade("who painted the yellow submarine?", [gateway])

    assert (half.quality, half.action) == (Quality.AMBIGUOUS, GradeAction.REFINE)
    assert sorted(half.uncovered) == ["certificate", "renews"]
    assert (foreign.quality, foreign.action) == (Quality.INCORRECT, GradeAction.DISCARD)
    assert sorted(foreign.uncovered) == ["painted", "submarine", "yellow"]


async def test_an_answer_is_graded(swarm: Swarm) -> None:
    """Borne out, made up, or against a memory: each is told, with the words and the memory."""
    gateway, lunch = await remembered(swarm, GATEWAY, LUNCH)
    ada = swarm.agent("ada")
    right, made_up, wrong = [
        (await ada.grade(QUESTION, [gateway, lunch], answer=answer)).answer
        for answer in ("port 8443", "Mallory knows", "port 9443")
    ]

    assert right is not None
    assert made_up is not None
    assert wrong is not None
    assert (right.support, right.supported, right.unsupported) == (Support.FULL, 1, ())
    assert (made_up.support, made_up.unsupported) == (Support.NONE, ("knows", "mallory"))
    assert (wrong.support, wrong.unsupported) == (Support.CONTRADICTED, ("9443",))
    (against,) = wrong.contradicts
    assert (against.memory_id, against.differs) == (gateway, "port 9443, known as 8443")
    assert 1 >= right.utility > made_up.utility >= 0


async def test_conflicts_and_outdated_memories_are_named(swarm: Swarm) -> None:
    """The later value holds; what was revised is named with its successor, what is gone too."""
    earlier, later, old, gone = await remembered(
        swarm, GATEWAY, GATEWAY.replace("8443", "9443"), "The API gateway has two replicas.", LUNCH
    )
    ada = swarm.agent("ada")
    successor = (await ada.revise(old, "The API gateway has five replicas.")).id
    await ada.forget(gone)
    unknown = uuid4()
    grade = await ada.grade(QUESTION, [earlier, later, old, gone, unknown])
    by_id = {memory.id: memory for memory in grade.memories}

    (conflict,) = grade.conflicts
    assert (conflict.later, conflict.earlier) == (later, earlier)
    assert conflict.differs == "port 9443, known as 8443"
    assert [memory.id for memory in grade.memories if memory.relevant] == [later]
    assert by_id[old].superseded_by == successor
    assert [by_id[each].score for each in (earlier, old)] == [-1, -1]
    assert grade.missing == (gone, unknown)


async def test_the_same_grading_counts_once(swarm: Swarm) -> None:
    """A memory's usefulness is the mean over agents and questions, each the last word of one."""
    (gateway,) = await remembered(swarm, GATEWAY)
    ada, bob = swarm.agent("ada"), swarm.agent("team/ü é")
    (first,) = (await ada.grade(QUESTION, [gateway])).memories
    (again,) = (await ada.grade(f" {QUESTION} ", [gateway])).memories
    (other,) = (await bob.grade("who painted the yellow submarine?", [gateway])).memories

    assert [each.grades for each in (first, again, other)] == [1, 1, 2]
    assert other.usefulness == pytest.approx((again.score + other.score) / 2)


async def test_an_empty_recall_is_incorrect(swarm: Swarm) -> None:
    """Nothing found is no error: look elsewhere."""
    grade = await swarm.agent("ada").grade(QUESTION, [])

    assert (grade.quality, grade.action, grade.memories) == ("incorrect", "discard", ())
    assert (grade.relevance, grade.cover) == (0, 0)


BAD: dict[str, Any] = {
    "empty question": lambda a: a.grade("", []),
    "one id": lambda a: a.grade("x", str(uuid4())),
    "no id": lambda a: a.grade("x", ["one"]),
    "too many": lambda a: a.grade("x", [UUID(int=n) for n in range(201)]),
    "long answer": lambda a: a.grade("x", [], answer="x" * 8_193),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_grades_are_the_same_error(swarm: Swarm, what: str) -> None:
    """Whatever breaks the contract raises InvalidInput, on each wire."""
    with pytest.raises(InvalidInput):
        await BAD[what](swarm.agent("ada"))
