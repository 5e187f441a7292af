"""The four parts of a scratchpad, and its questions."""

from uuid import uuid4

import pytest

from pinak_ray.records.errors import Conflict, NotFound
from pinak_ray.records.ids import uuid7
from pinak_ray.records.scratchpad.entities import Mention, SplitEntity
from pinak_ray.records.scratchpad.parts import (
    Act,
    AnswerOnScratchpad,
    AskOnScratchpad,
    FindExample,
    Observe,
    Reason,
    RecordExample,
    ScratchpadQuestions,
    ScratchpadQuestionStatus,
)
from pinak_ray.records.scratchpad.thoughts import PruneThoughts, Think
from pinak_ray.records.state.owners import EntryKind
from tests.support.scratchpads import Scratchpad


def test_premises_are_observations_steps_or_thoughts() -> None:
    """A question or an action is no premise, though it is an entry of the same scratchpad."""
    pad = Scratchpad()
    question = pad.made(AskOnScratchpad(content="why?"))
    action = pad.made(Act(action="look"))
    for other in (question, action, uuid4()):
        with pytest.raises(NotFound):
            pad.do(Reason(content="so", premises=(other,)))
        with pytest.raises(NotFound):
            pad.do(Observe(content="seen", contradicts=(other,)))

    assert pad.entries(EntryKind.REASONING) == []


def test_a_step_on_a_step() -> None:
    """Reasoning may rest on reasoning."""
    pad = Scratchpad()
    first = pad.made(Reason(content="so"))

    assert pad.made(Reason(content="and so", premises=(first,))) in pad.log.entries


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("a b c d e f g", True),
        ("A B C D E F G", True),
        ("a b c d e f g x y z", True),
        ("a b c d e f x y z w", False),
        ("g", False),
    ],
)
def test_examples_share_seventy_percent_of_their_words(asked: str, found: bool) -> None:
    """The share is that of the longer input, so that a single word is not everything's example."""
    pad = Scratchpad()
    pad.do(RecordExample(type="t", input="a b c d e f g", output="out"))

    assert (pad.do(FindExample(type="t", input=asked)).example is not None) is found


def test_the_best_of_equal_examples_is_found() -> None:
    """More overlap wins, then quality, then age; the same question finds the same example."""
    pad = Scratchpad()
    for output, quality in (("poor", 0.3), ("good", 0.9), ("late", 0.9)):
        pad.do(RecordExample(type="t", input="a b c d", output=output, quality=quality))

    outputs = [pad.do(FindExample(type="t", input="a b c d")).example.output for _ in range(3)]
    assert outputs == ["good"] * 3
    assert pad.do(FindExample(type="t", input="a b c d")).example.reuse_count == 4


def test_a_retried_search_counts_once() -> None:
    """The same operation again finds the same example and does not count it twice."""
    pad, id_ = Scratchpad(), uuid7()
    pad.do(RecordExample(type="t", input="a b c d", output="out"))
    first = pad.do(FindExample(type="t", input="a b c d"), id_)

    assert pad.do(FindExample(type="t", input="a b c d"), id_) == first
    assert pad.entries(EntryKind.EXAMPLE)[0].details["reuse_count"] == 1


def test_an_answer_gives_way_to_a_surer_one_only() -> None:
    """An answered question is not demoted, and its entry keeps its id and author."""
    pad = Scratchpad()
    question = pad.made(AskOnScratchpad(content="why?"))
    pad.do(AnswerOnScratchpad(question=question, content="a guess", confidence=0.4))
    pad.do(AnswerOnScratchpad(question=question, content="a proof", confidence=0.9))
    with pytest.raises(Conflict):
        pad.do(AnswerOnScratchpad(question=question, content="a doubt", confidence=0.3))

    (shown,) = pad.show(ScratchpadQuestions()).questions
    assert (shown.id, shown.answer, shown.confidence) == (question, "a proof", 0.9)
    assert shown.status is ScratchpadQuestionStatus.ANSWERED


def test_contradicted_evidence_makes_a_conflict() -> None:
    """Until it is answered, a question whose evidence is contradicted is in conflict."""
    pad = Scratchpad()
    question = pad.made(AskOnScratchpad(content="why?"))
    seen = pad.made(Observe(content="hot", question=question))
    pad.do(Observe(content="cold", contradicts=(seen,)))
    assert pad.show(ScratchpadQuestions()).questions[0].status is ScratchpadQuestionStatus.CONFLICT

    pad.do(AnswerOnScratchpad(question=question, content="warm"))
    assert pad.show(ScratchpadQuestions(status=ScratchpadQuestionStatus.CONFLICT)).questions == ()


def test_a_late_retry_undoes_nothing() -> None:
    """An operation that comes again after others changed its entry finds it, and leaves it so."""
    pad = Scratchpad()
    said = Mention(name="api", states={"health": "up"})
    again = [
        (Observe(content="seen"), uuid7()),
        (AskOnScratchpad(content="why?"), uuid7()),
        (Think(content="so", score=0.1), uuid7()),
        (RecordExample(type="t", input="a b", output="c"), uuid7()),
        (said, uuid7()),
    ]
    for command, id_ in again:
        assert pad.do(command, id_).new
    question = again[1][1]
    again.append((AnswerOnScratchpad(question=question, content="so", confidence=0.5), uuid7()))
    again.append((Mention(name="api", states={"health": "slow"}), uuid7()))
    again.append((SplitEntity(name="api", names=("gateway",)), uuid7()))
    pad.do(Mention(name="api", aliases=("gateway",)))
    for command, id_ in again[-3:]:
        assert pad.do(command, id_).new
    pad.do(AnswerOnScratchpad(question=question, content="no", confidence=0.5))
    pad.do(PruneThoughts(min_score=0.5))
    pad.do(FindExample(type="t", input="a b"))
    pad.do(Mention(name="api", states={"health": "down"}))
    pad.do(Mention(name="gateway"))

    pad, before = pad.again(), dict(pad.log.entries)
    for command, id_ in again:
        assert not pad.do(command, id_).new
    assert pad.log.entries == before


def test_what_was_posted_by_hand_does_no_harm() -> None:
    """Details of any form are read as far as they go, and never break a command or a view."""
    pad = Scratchpad()
    for details in (b"{}", b'{"type": 3, "reuse_count": "x", "quality": 7, "answer": []}'):
        for kind in (EntryKind.EXAMPLE, EntryKind.QUESTION):
            pad.post(kind, details)

    assert pad.do(FindExample(type="t", input="by hand")).example is None
    questions = pad.show(ScratchpadQuestions()).questions
    assert [question.status for question in questions] == [ScratchpadQuestionStatus.UNANSWERED] * 2
    pad.do(AnswerOnScratchpad(question=questions[0].id, content="yes"))
