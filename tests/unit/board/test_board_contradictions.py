"""Contradictions: two findings at odds, resolved once, with a record."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.board.actions import Actions
from pinak_ray.records.board.contradictions import Contradict, Resolve
from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.board.progress import Progress
from pinak_ray.records.board.questions import AnswerQuestion, Ask, QuestionStatus
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from tests.support.boards import Board


def a_board(status: str = "partial") -> tuple[Board, UUID, UUID]:
    """Return a board with two findings on one question."""
    board = Board()
    board.do(Ask(text="Which port?", key="port"))
    finding = PostFinding(content="5432", questions=("port",), confidence=0.9)
    first = board.do(finding).id
    second = board.do(PostFinding(content="5433", questions=("port",), confidence=0.6)).id
    if status == "answered":
        board.do(AnswerQuestion(question="port", text="5432", confidence=0.5))
    return board, first, second


def status(board: Board) -> QuestionStatus:
    """Return the status of the only question."""
    (question,) = board.show(Progress()).questions
    found: QuestionStatus = question.status
    return found


@pytest.mark.parametrize("before", ["partial", "answered"])
def test_a_contradiction_lies_over_the_status_until_it_is_resolved(before: str) -> None:
    """The question is in conflict, also when it was answered, and then what it was."""
    board, first, second = a_board(before)
    id_ = board.do(Contradict(first=first, second=second, description="two ports")).id
    assert status(board) is QuestionStatus.CONFLICT
    assert not board.show(Progress()).complete
    board.do(Resolve(contradiction=id_, how="asked the DBA"))

    assert status(board) == before


def test_both_findings_know_each_other_and_an_action_asks_for_the_resolution() -> None:
    """The most urgent action names the contradiction; the same two contradict each other once,
    whichever comes first."""
    board, first, second = a_board()
    receipt = board.do(Contradict(first=first, second=second, description="two ports"))
    again = board.do(Contradict(first=second, second=first, description="ports!"), "bob")

    assert (again.id, again.new) == (receipt.id, False)
    assert board.entry(first).details["contradicts"] == [str(second)]
    assert board.entry(second).details["contradicts"] == [str(first)]
    (action,) = board.show(Actions()).actions
    assert (action.type, action.priority) == ("resolve_contradiction", 1)
    assert action.details["contradiction"] == str(receipt.id)


def test_a_resolution_is_recorded_and_the_other_finding_refuted() -> None:
    """Who, how, when, and what was kept; what was refuted no longer makes its question surer."""
    board, first, second = a_board()
    id_ = board.do(Contradict(first=first, second=second, description="two ports")).id
    resolve = Resolve(contradiction=id_, how="asked the DBA", kept=second)
    board.do(resolve, "bob")

    record = board.entry(id_).details
    assert (record["how"], record["resolved_by"], record["kept"]) == (
        "asked the DBA",
        "bob",
        str(second),
    )
    assert record["resolved_at"]
    assert board.entry(first).details["refuted_by"] == str(id_)
    assert "refuted_by" not in board.entry(second).details
    progress = board.show(Progress())
    assert (progress.questions[0].confidence, progress.open_contradictions) == (0.6, 0)
    assert board.show(Actions()).actions == ()


def test_a_contradiction_is_resolved_once() -> None:
    """The same resolution again is the first one; another one is a Conflict."""
    board, first, second = a_board()
    id_ = board.do(Contradict(first=first, second=second, description="two ports")).id
    resolve = Resolve(contradiction=id_, how="asked", kept=first)
    board.do(resolve)
    assert board.unchanged(lambda: board.do(resolve))
    for other in ("guessed", None), ("asked", second):
        with pytest.raises(Conflict, match="asked"):
            board.do(Resolve(contradiction=id_, how=other[0], kept=other[1]))


def test_what_cannot_be_is_refused() -> None:
    """A finding against itself or against nothing, and keeping a third one."""
    board, first, second = a_board()
    third = board.do(PostFinding(content="5434")).id
    id_ = board.do(Contradict(first=first, second=second, description="two ports")).id
    with pytest.raises(InvalidInput, match="itself"):
        board.do(Contradict(first=first, second=first, description="x"))
    with pytest.raises(NotFound):
        board.do(Contradict(first=first, second=id_, description="x"))
    with pytest.raises(InvalidInput, match="one of the two"):
        board.do(Resolve(contradiction=id_, how="x", kept=third))


def test_a_question_that_is_linked_later_is_in_conflict_too() -> None:
    """Through a finding posted again, or through an answer that rests on it."""
    board, first, second = a_board()
    contradiction = Contradict(first=first, second=second, description="two ports")
    id_ = board.do(contradiction).id
    board.do(Ask(text="Which database?", key="db"))
    board.do(Ask(text="Which host?", key="host"))
    board.do(PostFinding(content="5433", questions=("db",)))
    board.do(AnswerQuestion(question="host", text="a", findings=(first, second)))
    assert {q.status for q in board.show(Progress()).questions} == {QuestionStatus.CONFLICT}

    board.do(Resolve(contradiction=id_, how="asked"))
    assert [q.status for q in board.show(Progress()).questions] == [
        QuestionStatus.PARTIAL,
        QuestionStatus.PARTIAL,
        QuestionStatus.ANSWERED,
    ]


@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda p: p[0] != p[1]),
        min_size=1,
        max_size=6,
    ),
    order=st.randoms(use_true_random=False),
    keeps=st.booleans(),
)
def test_a_question_is_in_conflict_as_long_as_any_contradiction_is_open(
    pairs: list[tuple[int, int]], order: object, keeps: bool
) -> None:
    """In whichever order several are resolved, only the last one ends the conflict."""
    board = Board()
    board.do(Ask(text="Which port?", key="port"))
    findings = [
        board.do(PostFinding(content=f"{n}", questions=("port",) if n % 2 else ())).id
        for n in range(4)
    ]
    ids = {}
    for one, other in pairs:
        command = Contradict(first=findings[one], second=findings[other], description="x")
        ids[board.do(command).id] = (one, other)
    left = list(ids)
    order.shuffle(left)  # type: ignore[attr-defined]
    while left:
        touched = any(n % 2 for id_ in left for n in ids[id_])
        assert (status(board) is QuestionStatus.CONFLICT) == touched
        id_ = left.pop()
        kept = findings[ids[id_][0]] if keeps else None
        board.do(Resolve(contradiction=id_, how="asked", kept=kept))

    assert status(board) is QuestionStatus.PARTIAL
