"""Findings: one content is one finding."""

from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.board.findings import FindingDetails, FindingType, PostFinding
from pinak_ray.records.board.progress import Progress
from pinak_ray.records.board.questions import Ask
from pinak_ray.records.commands import checked_model
from pinak_ray.records.errors import InvalidInput, NotFound
from pinak_ray.records.operations import Post
from pinak_ray.records.state.owners import EntryKind
from tests.support.boards import BOARD, Board

POSTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.builds(
            PostFinding,
            content=st.sampled_from(["orders is locked", " Orders  is LOCKED"]),
            type=st.sampled_from(FindingType),
            source_url=st.sampled_from(["http://a", "http://b"]),
            source_title=st.none() | st.sampled_from(["A", "B"]),
            confidence=st.sampled_from([0.2, 0.5, 0.9]),
            questions=st.lists(st.sampled_from(["why", "when"])).map(tuple),
            verified=st.booleans(),
        ),
    ),
    min_size=1,
    max_size=5,
)


def a_board() -> Board:
    """Return a board with two questions."""
    board = Board()
    for key in ("why", "when"):
        board.do(Ask(text=f"{key} is it slow?", key=key))
    return board


def known(board: Board, id_: UUID) -> tuple[object, ...]:
    """Return what a finding says, but for who posted it first and last."""
    entry = board.entry(id_)
    details = FindingDetails.model_validate(entry.details)
    finders = {entry.author, *details.found_by}
    return finders, details.model_copy(update={"found_by": ()})


@given(posts=POSTS, order=st.randoms(use_true_random=False))
def test_the_same_content_is_one_finding_in_any_order(
    posts: list[tuple[str, PostFinding]], order: object
) -> None:
    """Sources, questions, finders and the highest confidence unite, whoever posts first, and
    posting all of it again changes nothing."""
    forward, shuffled = a_board(), a_board()
    (id_,) = {forward.do(post, author).id for author, post in posts}
    order.shuffle(posts)  # type: ignore[attr-defined]
    assert {shuffled.do(post, author).id for author, post in posts} == {id_}

    assert known(forward, id_) == known(shuffled, id_)
    before, after = (board.show(Progress()) for board in (forward, shuffled))
    assert before == after
    assert before.findings == 1
    assert forward.unchanged(lambda: [forward.do(post, author) for author, post in posts])


def test_a_repeated_finding_says_that_it_is_not_new() -> None:
    """Case and spaces do not make a second one; what it adds is written under the first id."""
    board = a_board()
    first = board.do(PostFinding(content="Orders is locked"))
    again = board.do(PostFinding(content=" orders  IS locked "), "ann")
    more = board.do(PostFinding(content="orders is locked", source_url="http://a"), "bob")

    assert (first.new, again.new) == (True, False)
    assert first.id == again.id == more.id
    entry = board.entry(first.id)
    assert (entry.author, entry.content, entry.version) == ("ann", "Orders is locked", 2)
    assert entry.details == {"found_by": ["bob"], "sources": [{"url": "http://a"}]}


def test_a_retry_after_others_posted_the_same_changes_nothing() -> None:
    """The first try's operation is known by its content when its id is no longer remembered."""
    board, id_ = a_board(), uuid4()
    finding = PostFinding(content="locked", confidence=0.4)
    first = board.do(finding, "ann", id_)
    board.do(PostFinding(content="locked", confidence=0.9), "bob")

    assert board.unchanged(lambda: board.do(finding, "ann", id_))
    assert board.do(finding, "ann", id_).id == first.id


def test_a_question_that_is_not_here_is_refused() -> None:
    """Neither an unknown key nor an unknown id; nothing is stored."""
    board = a_board()
    for name in ("whence", str(uuid4())):
        with pytest.raises(NotFound):
            board.do(PostFinding(content="x", questions=("why", name)))

    assert board.show(Progress()).findings == 0


def test_an_authors_own_details_stay_and_ours_are_not_taken() -> None:
    """Free details stand beside the fields, whose names they must not have."""
    board = a_board()
    receipt = board.do(PostFinding(content="x", details={"table": "orders"}))
    assert board.entry(receipt.id).details == {"table": "orders"}

    with pytest.raises(InvalidInput, match="confidence"):
        checked_model(PostFinding, content="x", details={"confidence": "high"})
    with pytest.raises(InvalidInput, match="source_url"):
        checked_model(PostFinding, content="x", source_title="The news")


def test_a_finding_of_older_days_is_read() -> None:
    """One that was posted with details of the same names says nothing of itself, and breaks
    no view."""
    board = a_board()
    details = orjson.dumps({"confidence": "high", "questions": 3})
    old = Post(BOARD, uuid4(), EntryKind.FINDING, "ann", "old", details)
    board.log.post(old, now=board.now)

    assert board.show(Progress()).findings == 1
