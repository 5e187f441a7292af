"""The laws of grades: what a retrieval's relevance, quality and scores depend on."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest

from pinak_ray.language.terms import Term, cover, lacking
from pinak_ray.recall.grading.answers import Answered
from pinak_ray.recall.grading.conflicts import Statement
from pinak_ray.recall.grading.rules import (
    RELEVANT,
    Retrieval,
    Retrieved,
    RuleGrader,
    graded,
    relevance,
)
from pinak_ray.records.asking import asked
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.grades import Grade, GradeAction, Quality, Support
from pinak_ray.records.state.owners import Owner, Space

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = {
    "port": Term("ports", 1.0),
    "gateway": Term("gateway", 3.0),
    "listen": Term("listens", 2.0),
}

OWNER = Owner(1, Space.AGENT, "ada")


def memory(
    number: int,
    *lexemes: str,
    similarity: float | None = 0.5,
    superseded_by: UUID | None = None,
    expired: bool = False,
) -> Retrieved:
    """Return a memory that has these lexemes."""
    statement = Statement(UUID(int=number), " ".join(lexemes), NOW, NOW)
    return Retrieved(statement, similarity, frozenset(lexemes), superseded_by, expired)


def retrieval(*memories: Retrieved, answer: Answered | None = None) -> Retrieval:
    """Return a retrieval for the question of TERMS."""
    return Retrieval("which port does the gateway listen on?", TERMS, memories, (), answer)


def anything(random: Random) -> Retrieval:
    """Return a retrieval of up to eight memories of any kind."""
    return retrieval(
        *(
            memory(
                number,
                *(lexeme for lexeme in (*TERMS, "8443") if random.random() < 0.4),
                similarity=random.choice([None, random.uniform(-1, 1)]),
                superseded_by=UUID(int=99) if random.random() < 0.1 else None,
                expired=random.random() < 0.1,
            )
            for number in range(random.randrange(8))
        ),
        answer=random.choice([None, Answered("8443", {"8443": Term("8443", 1.0)}, 0.2)]),
    )


def test_a_cover_weighs_words_by_their_rarity() -> None:
    """None is 0, all is 1, each its share; what is lacking is the rest, the rarest first."""
    assert cover(TERMS, ()) == cover({}, TERMS) == 0
    assert cover(TERMS, TERMS) == 1
    assert cover(TERMS, {"gateway", "elephant"}) == pytest.approx(3 / 6)
    assert lacking(TERMS, {"elephant"}) == ("gateway", "listens", "ports")
    assert lacking(TERMS, {"gateway"}) == ("listens", "ports")
    assert lacking(TERMS, TERMS) == ()


def test_relevance_rises_with_both_signals() -> None:
    """It lies in [0, 1], and neither likeness nor shared words ever lower it."""
    steps = [step / 10 for step in range(-10, 11)]
    for low, high in pairwise(steps):
        for covered in (0.0, 0.4, 1.0):
            assert 0 <= relevance(low, covered) <= relevance(high, covered) <= 1
        assert relevance(high, 0.4) < relevance(high, 0.6)
    assert relevance(None, 0.7) == 0.7


@pytest.mark.parametrize("seed", range(60))
async def test_what_every_grade_keeps_to(seed: int) -> None:
    """Whatever was retrieved: bounds, order, and what follows from what."""
    asked = anything(Random(seed))
    grade = await RuleGrader().grade(asked)
    relevances = [each.relevance for each in grade.memories]
    stale = {each.id for each in grade.memories if each.superseded_by or each.expired}

    assert sorted(each.id for each in grade.memories) == [m.statement.id for m in asked.memories]
    assert relevances == sorted(relevances, reverse=True)
    assert all(-1 <= each.score <= 1 for each in grade.memories)
    assert all(each.score == -1 for each in grade.memories if each.id in stale)
    assert stale.isdisjoint(each.id for each in grade.memories if each.relevant)
    assert (grade.quality is Quality.INCORRECT) == all(each < RELEVANT for each in relevances)
    assert any(each.relevant for each in grade.memories) == (grade.relevance >= RELEVANT)
    assert (grade.quality, grade.action) in zip(Quality, GradeAction, strict=True)
    if grade.quality is Quality.CORRECT:
        assert grade.cover >= 0.6
    if grade.cover < 1:
        assert grade.uncovered
    assert (grade.answer is None) == (asked.answer is None)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_memories_changes_nothing(seed: int) -> None:
    """The same memories in any order are the same grade."""
    random = Random(seed)
    asked = anything(random)
    shuffled = random.sample(asked.memories, len(asked.memories))

    assert graded(asked) == graded(retrieval(*shuffled, answer=asked.answer))


def test_quality_follows_from_the_best_memory_and_the_cover() -> None:
    """All words and likeness are correct; some, or stale ones, ambiguous; none, incorrect."""
    strong, weak, foreign = memory(1, *TERMS), memory(2, "gateway"), memory(3, similarity=0.1)
    stale = memory(4, *TERMS, expired=True)
    grades = [graded(retrieval(*each)) for each in ([strong, foreign], [weak], [stale], [foreign])]

    assert [each.quality for each in grades] == [
        Quality.CORRECT, Quality.AMBIGUOUS, Quality.AMBIGUOUS, Quality.INCORRECT,
    ]  # fmt: skip
    assert [each.uncovered for each in grades] == [
        (), ("listens", "ports"), ("gateway", "listens", "ports"), ("gateway", "listens", "ports"),
    ]  # fmt: skip


def test_words_that_are_scattered_are_asked_for_together() -> None:
    """If the memories have every word between them, what the best one lacks is to be recalled."""
    scattered = memory(1, "gateway", similarity=0.3), memory(2, "port", "listen", similarity=0.3)
    grade = graded(retrieval(*scattered))

    assert (grade.quality, grade.cover) == (Quality.AMBIGUOUS, 1)
    assert grade.uncovered == ("listens", "ports")


def test_a_memory_much_weaker_than_the_best_is_not_kept() -> None:
    """Beside a strong one it is noise; alone it is all there is."""
    strong, weak = memory(1, *TERMS, similarity=0.9), memory(2, "gateway", similarity=0.2)

    assert [each.relevant for each in graded(retrieval(strong, weak)).memories] == [True, False]
    assert [each.relevant for each in graded(retrieval(weak)).memories] == [True]


def test_a_memory_that_gave_the_answer_is_worth_it() -> None:
    """Little like the question, it still holds what was answered."""
    source = memory(1, "8443", similarity=0.1)
    answer = Answered("8443", {"8443": Term("8443", 2.0)}, 0.2)
    (before,) = graded(retrieval(source)).memories
    (after,) = graded(retrieval(source, answer=answer)).memories

    assert (before.score < 0, before.support) == (True, None)
    assert (after.score, after.support) == (1, 1)


@pytest.mark.parametrize(
    ("share", "support"), [(1.0, Support.FULL), (0.5, Support.PARTIAL), (0.1, Support.NONE)]
)
def test_support_is_the_share_of_the_answers_words(share: float, support: Support) -> None:
    """By weight; the words that nobody has are named."""
    terms = {"8443": Term("8443", share), "bob": Term("bob", 1 - share)}
    grade = graded(retrieval(memory(1, "8443"), answer=Answered("8443, Bob", terms, 0.2)))

    assert grade.answer is not None
    assert (grade.answer.support, grade.answer.unsupported) == (support, ("bob",))
    assert grade.answer.supported == pytest.approx(share)


@pytest.mark.parametrize(
    ("question", "good", "bad"),
    [
        ("When was the release?", "on 12 May", "Bob made it"),
        ("How many replicas are there?", "two", "plenty of them"),
        ("What year was it?", "2024", "a good one"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_of_little_use(question: str, good: str, bad: str) -> None:
    """What asks for a time or a count wants one."""

    def utility(text: str) -> float:
        asked = Retrieval(question, TERMS, (), (), Answered(text, {}, 0.3))
        grade = graded(asked).answer
        assert grade is not None
        return grade.utility

    assert utility(good) == pytest.approx(0.65)
    assert utility(bad) == pytest.approx(0.15)


def test_a_question_is_one_however_it_is_spaced() -> None:
    """Its id tells questions apart, not how they are written."""
    texts = ("Who  is it?", " who is IT?", "who was it?")
    one, same, other = (asked(Grade, OWNER, query=text, memory_ids=[]) for text in texts)

    assert one.question_id == same.question_id != other.question_id


def test_a_request_is_checked() -> None:
    """Memories are named once each; a text is no list of them."""
    twice = asked(Grade, OWNER, query="x", memory_ids=[UUID(int=1), str(UUID(int=1))])

    assert twice.memory_ids == (UUID(int=1),)
    for bad in ("one", [1], None, b"x"):
        with pytest.raises(InvalidInput):
            asked(Grade, OWNER, query="x", memory_ids=bad)
