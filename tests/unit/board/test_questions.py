"""Questions: their status rises and never falls."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.board.actions import Actions
from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.board.progress import Progress
from pinak_ray.records.board.questions import (
    AnswerQuestion,
    Ask,
    BoardQuestion,
    PartlyAnswer,
    QuestionStatus,
    SearchQuestion,
    SimilarQuestion,
)
from pinak_ray.records.commands import Command
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from tests.support.boards import Board

RANKS = {status: rank for rank, status in enumerate(QuestionStatus)}
CONFIDENCES = st.sampled_from([0.1, 0.5, 0.9])
STEPS = st.one_of(
    st.just(SearchQuestion(question="why")),
    st.builds(
        PartlyAnswer,
        question=st.just("why"),
        gaps=st.lists(st.sampled_from(["who?", "WHO?", "when?"])).map(tuple),
        confidence=CONFIDENCES,
    ),
    st.builds(
        AnswerQuestion,
        question=st.just("why"),
        text=st.sampled_from(["a lock", "a query"]),
        confidence=CONFIDENCES,
    ),
    st.builds(
        PostFinding,
        content=st.sampled_from(["one", "two"]),
        questions=st.just(("why",)),
        confidence=CONFIDENCES,
    ),
)


def a_board() -> Board:
    """Return a board with one question."""
    board = Board()
    board.do(Ask(text="Why is it slow?", key="why"))
    return board


def the(board: Board) -> BoardQuestion:
    """Return the board's only question."""
    question: BoardQuestion
    (question,) = board.show(Progress()).questions
    return question


@given(steps=st.lists(st.tuples(st.sampled_from(["ann", "bob"]), STEPS), max_size=8))
def test_a_status_never_falls(steps: list[tuple[str, Command]]) -> None:
    """Whatever happens to a question in whichever order, it is not demoted, and doing a step
    again changes nothing."""
    board = a_board()
    for author, step in steps:
        before = the(board).status
        board.do(step, author)
        assert RANKS[the(board).status] >= RANKS[before]
        assert board.unchanged(partial(board.do, step, author))


def test_a_question_is_asked_once() -> None:
    """The same words, but for case and spaces, are the question that was asked; it has a
    criterion even if nobody gave one, and may be named later."""
    board = Board()
    first = board.do(Ask(text="Why is it slow?"))
    again = board.do(Ask(text="why is  it SLOW?", criteria="a cause"), "bob")
    assert (again.id, again.new) == (first.id, False)
    assert the(board).criteria

    board.do(Ask(text="why is it slow?", key="why"))
    assert the(board).key == "why"
    for other in (Ask(text="Why is it red?", key="why"), Ask(text="Why is it slow?", key="y")):
        with pytest.raises(Conflict):
            board.do(other)


def test_the_way_of_a_question() -> None:
    """Unanswered, searching, partial by a finding, answered; each says who did it."""
    board = a_board()
    assert the(board).status is QuestionStatus.UNANSWERED
    board.do(SearchQuestion(question="why"), "bob")
    assert (the(board).status, the(board).searched_by) == (QuestionStatus.SEARCHING, "bob")
    finding = board.do(PostFinding(content="locked", confidence=0.6, questions=("why",)))
    assert (the(board).status, the(board).confidence) == (QuestionStatus.PARTIAL, 0.6)
    board.do(AnswerQuestion(question="why", text="a lock", findings=(finding.id,)), "eve")
    question = the(board)
    assert (question.status, question.answer, question.answered_by, question.findings) == (
        QuestionStatus.ANSWERED,
        "a lock",
        "eve",
        1,
    )


def test_an_answer_gives_way_to_a_surer_one_or_to_its_authors_next() -> None:
    """Another agent's equally sure answer changes nothing."""
    board = a_board()
    for author, text, confidence, stands in (
        ("ann", "a lock", 0.8, "a lock"),
        ("bob", "a query", 0.8, "a lock"),
        ("bob", "a query", 0.9, "a query"),
        ("bob", "an index", 0.3, "an index"),
    ):
        board.do(AnswerQuestion(question="why", text=text, confidence=confidence), author)
        assert the(board).answer == stands


def test_what_an_answer_rests_on_bears_on_its_question() -> None:
    """A finding that was posted without the question is linked to it; an unknown one refused."""
    board = a_board()
    finding = board.do(PostFinding(content="locked", confidence=0.95))
    board.do(AnswerQuestion(question="why", text="a lock", findings=(finding.id,)))

    assert (the(board).findings, the(board).confidence) == (1, 0.95)
    question = board.do(Ask(text="Why is it slow?"))
    with pytest.raises(NotFound):
        board.do(AnswerQuestion(question="why", text="x", findings=(question.id,)), "ann")


def test_each_gap_is_an_action_once_until_the_question_is_answered() -> None:
    """A gap that is named again makes no second action; the answer withdraws what is open."""
    board = a_board()
    board.do(PartlyAnswer(question="why", gaps=("who?", "when?", "Who?")))
    board.do(PartlyAnswer(question="why", gaps=("WHO?",)), "bob")

    actions = board.show(Actions()).actions
    assert [(a.type, a.priority, a.details["gap"]) for a in actions] == [
        ("fill_gap", 2, "who?"),
        ("fill_gap", 2, "when?"),
    ]
    assert the(board).gaps == ("who?", "when?")
    board.do(AnswerQuestion(question="why", text="a lock"))
    assert (board.show(Actions()).actions, the(board).gaps) == ((), ())


def test_gaps_are_bounded() -> None:
    """A question that lacks that much is several questions."""
    board = a_board()
    board.do(PartlyAnswer(question="why", gaps=tuple(f"{n}" for n in range(64))))
    with pytest.raises(InvalidInput, match="gaps"):
        board.do(PartlyAnswer(question="why", gaps=("one more",)))


def test_a_similar_question_is_found() -> None:
    """Seven tenths of the words make it the same question; less does not."""
    board = a_board()
    board.do(Ask(text="which migration locks the orders table today?"))

    found = board.show(SimilarQuestion(text="which migration locks the orders table now?"))
    assert (found.question.text[:5], round(found.similarity, 2)) == ("which", 0.75)
    assert board.show(SimilarQuestion(text="who locks the table?")).question is None
