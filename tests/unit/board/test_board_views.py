"""What a whole board shows: progress, the next step, and the board as text."""

from datetime import timedelta
from uuid import uuid4

import pytest

from pinak_ray.records.answer_size import MAX_ANSWER_BYTES
from pinak_ray.records.board.actions import FinishAction, PushAction, TakeAction
from pinak_ray.records.board.contradictions import Contradict, Resolve
from pinak_ray.records.board.findings import PostFinding
from pinak_ray.records.board.notes import Notes, Tell
from pinak_ray.records.board.progress import Markdown, NextStep, Progress, Step
from pinak_ray.records.board.questions import AnswerQuestion, Ask, PartlyAnswer, SearchQuestion
from pinak_ray.records.board.tasks import AddTask, TaskMarkdown, Tasks
from pinak_ray.records.operations import Post
from pinak_ray.records.state.owners import EntryKind
from tests.support.boards import BOARD, Board


def test_a_board_is_complete_when_all_is_answered_sure_and_undisputed() -> None:
    """The mean confidence is 0.7 at least; partial answers count, open contradictions do not."""
    board = Board()
    assert not board.show(Progress()).complete
    for key in "abc":
        board.do(Ask(text=f"{key}?", key=key))
        board.do(PostFinding(content=key, questions=(key,), confidence=0.7))
    progress = board.show(Progress(limit=2))
    assert (progress.complete, progress.confidence, progress.asked) == (True, 0.7, 3)
    assert (len(progress.questions), progress.findings, progress.tasks) == (2, 3, None)

    board.do(AddTask(title="look"))
    assert board.show(Progress()).tasks == 0.0
    board.do(Ask(text="d?", key="d"))
    assert not board.show(Progress()).complete


def test_the_next_step_follows_the_most_pressing_need() -> None:
    """Contradiction, action, unanswered question, gaps, recommendation, then confidence."""
    board = Board()
    steps = []

    def step() -> None:
        steps.append(board.show(NextStep(reader="bob")).step)

    step()
    one = board.do(PostFinding(content="5432", confidence=0.4)).id
    step()
    board.do(Tell(content="saw it", to="bob", recommendation="look at the port"))
    step()
    board.do(Ask(text="Which port?", key="port"))
    two = board.do(PostFinding(content="5433", confidence=0.4, questions=("port",))).id
    step()
    board.do(Ask(text="Which host?", key="host"))
    step()
    board.do(PushAction(type="dig"))
    step()
    contradiction = board.do(Contradict(first=one, second=two, description="two ports")).id
    step()
    assert steps == [
        Step.ASK,
        Step.VERIFY,
        Step.FOLLOW,
        Step.FILL_GAPS,
        Step.SEARCH,
        Step.ACT,
        Step.RESOLVE,
    ]

    board.do(Resolve(contradiction=contradiction, how="asked"))
    action = board.do(TakeAction(types=("dig",))).action
    board.do(SearchQuestion(question="host"))
    assert board.show(NextStep()).step is Step.FILL_GAPS
    board.do(FinishAction(action=action.id, outcome="dug"))
    for key in ("port", "host"):
        board.do(AnswerQuestion(question=key, text="x", confidence=0.9))
    assert board.show(NextStep(reader="eve")).step is Step.CONCLUDE


def a_full_board() -> Board:
    """Return a board with something of everything."""
    board = Board()
    board.do(Ask(text="Why is it slow?", key="why"))
    board.do(PartlyAnswer(question="why", gaps=("which query",)))
    one = board.do(PostFinding(content="a lock\n# on orders", source_url="http://a")).id
    two = board.do(PostFinding(content="no lock")).id
    board.do(Contradict(first=one, second=two, description="lock or not"))
    board.do(AddTask(title="look at pg_locks"))
    board.do(Tell(content="on it", to="bob"))
    public = Post(BOARD, uuid4(), EntryKind.PUBLIC, "ann", "v2", key="release", ttl_s=60)
    board.log.post(public, now=board.now)
    return board


def test_the_markdown_shows_everything_on_the_board() -> None:
    """One section for each kind of thing; an entry cannot make a heading of its own."""
    text = a_full_board().show(Markdown()).text

    for line in (
        "- [ ] Why is it slow? (partial, 0.50, 0 findings)",
        "  - missing: which query",
        "- a lock # on orders (fact, 0.50, ann) <http://a>",
        "- lock or not (ann)",
        "- 1 resolve_contradiction",
        "- [ ] look at pg_locks",
        "- release: v2 (ann)",
        "- ann to bob: on it",
    ):
        assert line in text.splitlines()
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Progress"]


@pytest.mark.parametrize("max_chars", [200, 400])
def test_the_markdown_keeps_its_bound(max_chars: int) -> None:
    """Whole lines as far as they fit, and how many did not."""
    board = a_full_board()
    whole = board.show(Markdown()).text
    part = board.show(Markdown(max_chars=max_chars))

    assert len(part.text) <= max_chars
    assert whole.startswith(part.text)
    assert len(whole.splitlines()) == len(part.text.splitlines()) + part.omitted


def test_an_expired_public_entry_is_shown_nowhere() -> None:
    """Neither in the text nor in any reading or watch, from the moment at which it ends."""
    board = a_full_board()
    board.now += timedelta(seconds=60)

    assert "release" not in board.show(Markdown()).text
    assert not board.log.read(0, (EntryKind.PUBLIC,), 10, now=board.now)
    assert board.log.keyed(EntryKind.PUBLIC, "release", now=board.now) is None
    assert not board.log.of_kind(EntryKind.PUBLIC, now=board.now)


def test_what_one_answer_does_not_hold_comes_by_skip() -> None:
    """A list ends at 4 MiB and says how many more there are; `skip` brings them, each once."""
    board = Board()
    for place in range(70):
        board.do(AddTask(title=f"{place} " + "é" * 30_000))
    seen: list[str] = []
    while True:
        answer = board.show(Tasks(skip=len(seen)))
        size = len(answer.model_dump_json())
        assert answer.tasks
        assert size < MAX_ANSWER_BYTES + 100_000
        seen += [task.title.partition(" ")[0] for task in answer.tasks]
        assert answer.more == 70 - len(seen)
        if not answer.more:
            break
    assert seen == [str(place) for place in range(70)]
    text = board.show(TaskMarkdown())
    assert len(text.markdown.encode()) <= MAX_ANSWER_BYTES
    assert text.markdown.count("\n") + text.omitted == 70


def test_skip_goes_on_behind_a_limit() -> None:
    """The next notes are those behind the ones that came."""
    board = Board()
    for place in range(7):
        board.do(Tell(content=str(place)))
    pages = [board.show(Notes(limit=3, skip=skip)).notes for skip in (0, 3, 6, 9)]
    assert [[note.content for note in page] for page in pages] == [
        ["6", "5", "4"],
        ["3", "2", "1"],
        ["0"],
        [],
    ]
