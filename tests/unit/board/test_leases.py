"""Leases and claims as the clock goes on, and what a board holds at most."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinak_ray.agents import rules
from pinak_ray.agents.board.tasks import claims, tasks
from pinak_ray.agents.board.tasks.claims import normalised
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.claims import ClaimOnce, Claims, Done
from pinak_ray.records.board.tasks import (
    AddTask,
    ClaimTask,
    Finish,
    Heartbeat,
    Release,
    Retry,
    Tasks,
    TaskStatus,
)
from pinak_ray.records.commands import Command
from pinak_ray.records.errors import Conflict, InvalidInput
from pinak_ray.records.operations import Execute
from pinak_ray.records.state.owners import Owner, Space

START = datetime(2026, 3, 1, tzinfo=UTC)
BOARD = Owner(7, Space.BOARD, "plan")


class Board:
    """One board, and its clock."""

    def __init__(self) -> None:
        self.log = EntryLog()
        self.now = START

    def do(self, author: str, command: Command, id_: UUID | None = None) -> Any:
        operation: Execute[Any] = Execute(BOARD, id_ or uuid4(), author, command)
        result, _ = rules.execute(self.log, operation, self.now, {})
        return result

    def tasks(self) -> Any:
        return rules.show(self.log, Tasks(), self.now).tasks  # type: ignore[attr-defined]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def board() -> Board:
    """A board with nothing on it."""
    return Board()


@pytest.fixture
def task(board: Board) -> UUID:
    """Its only task."""
    id_: UUID = board.do("ann", AddTask(title="fix")).id
    return id_


def test_an_expired_lease_is_over_for_every_reader(board: Board, task: UUID) -> None:
    """At the moment it expires the task is pending, for views and for whoever wants to go on."""
    claim = board.do("bob", ClaimTask(lease_s=10))
    board.later(9.999)
    assert board.tasks()[0].status is TaskStatus.IN_PROGRESS
    assert not board.do("eve", ClaimTask(task=task)).granted
    board.later(0.001)
    (shown,) = board.tasks()

    assert (shown.status, shown.lease, shown.executable) == (TaskStatus.PENDING, None, True)
    late: list[Command] = [Heartbeat(task=task), Finish(task=task), Release(task=task)]
    for command in late:
        with pytest.raises(Conflict, match="nobody holds it"):
            board.do("bob", command)
    assert board.do("eve", ClaimTask(task=task)).version > claim.version


def test_a_zombie_is_refused_though_it_has_the_same_name(board: Board, task: UUID) -> None:
    """Two processes of one agent: the version tells the claim that expired from the later one."""
    old = board.do("bob", ClaimTask(lease_s=10))
    board.later(10)
    new = board.do("bob", ClaimTask(lease_s=10))
    zombie: list[Command] = [
        Finish(task=task, version=old.version),
        Heartbeat(task=task, version=old.version),
        Release(task=task, version=old.version),
    ]
    for command in zombie:
        with pytest.raises(Conflict, match="claimed again"):
            board.do("bob", command)

    assert board.do("bob", Finish(task=task, version=new.version)).new


def test_a_heartbeat_keeps_the_lease_and_its_version(board: Board, task: UUID) -> None:
    """It ends that long from the heartbeat on; so it does when its holder claims it again."""
    claim = board.do("bob", ClaimTask(lease_s=10))
    board.later(9)
    held = board.do("bob", Heartbeat(task=task, lease_s=10, version=claim.version))
    board.later(9)
    again = board.do("bob", ClaimTask(task=task, lease_s=10))

    assert [c.lease_expires_at - START for c in (claim, held, again)] == [
        timedelta(seconds=seconds) for seconds in (10, 19, 28)
    ]
    assert claim.version == held.version == again.version


def test_the_history_tells_who_when_how_long_and_how_it_ended(board: Board, task: UUID) -> None:
    """Executions that were given up or lost are in it; of many the last ten are."""
    board.do("bob", ClaimTask(lease_s=10))
    board.later(60)
    board.do("eve", ClaimTask(lease_s=10))
    board.later(3)
    board.do("eve", Release(task=task))
    (shown,) = board.tasks()
    assert [(past.author, past.outcome, past.seconds) for past in shown.history] == [
        ("bob", "expired", 10), ("eve", "released", 3)
    ]  # fmt: skip
    assert shown.history[0].started_at == START
    for _ in range(12):
        board.do("ann", ClaimTask())
        board.do("ann", Finish(task=task, status=TaskStatus.FAILED, output="no"))
        board.do("ann", Retry(task=task))

    (shown,) = board.tasks()
    assert [(past.author, past.outcome) for past in shown.history] == [("ann", "failed")] * 10
    assert (shown.output, shown.status) == ("no", TaskStatus.PENDING)


def test_what_ended_a_lease_ends_no_later_one(board: Board, task: UUID) -> None:
    """The same operation again, long after the task has gone on, changes nothing."""
    end, give_back = uuid4(), uuid4()
    board.do("bob", ClaimTask())
    board.do("bob", Release(task=task), give_back)
    board.do("bob", ClaimTask())
    assert not board.do("bob", Release(task=task), give_back).new
    board.do("bob", Finish(task=task, status=TaskStatus.FAILED), end)
    board.do("bob", Retry(task=task))
    board.do("bob", ClaimTask())
    assert not board.do("bob", Finish(task=task, status=TaskStatus.FAILED), end).new

    assert board.tasks()[0].lease.holder == "bob"


def test_the_order_survives_a_reload(board: Board) -> None:
    """Of equally urgent tasks the one added first comes first, whatever changed last."""
    for title in ("one", "two", "three"):
        board.do("ann", AddTask(title=title))
    first = board.do("bob", ClaimTask())
    board.do("bob", Release(task=first.task))
    board.log = EntryLog.of(board.log.entries.values())

    assert [shown.title for shown in board.tasks()] == ["one", "two", "three"]
    assert board.do("bob", ClaimTask()).title == "one"


def test_a_subject_is_due_again_after_its_time(board: Board) -> None:
    """A claim that nobody kept is as if it had never been; a result lasts for its time to live."""
    ask = ClaimOnce(subject="who locks orders?", lease_s=10)
    assert board.do("ann", ask).granted
    board.later(10)
    assert board.do("bob", ask).granted
    with pytest.raises(Conflict, match="held by 'bob'"):
        board.do("ann", Done(subject=ask.subject))
    board.do("bob", Done(subject=ask.subject, result=1, ttl_s=60))
    again = board.do("bob", Done(subject=ask.subject, result=2))
    answer = board.do("ann", ask)
    assert (again.new, answer.granted, answer.result) == (False, False, 1)
    assert answer.expires_at == board.now + timedelta(seconds=60)
    board.later(60)

    assert rules.show(board.log, Claims(), board.now).claims == ()  # type: ignore[attr-defined]
    assert board.do("ann", ask).granted


@pytest.mark.parametrize(
    ("module", "limit", "new"),
    [
        (tasks, "MAX_TASKS", lambda n: AddTask(title=f"{n}")),
        (claims, "MAX_CLAIMS", lambda n: ClaimOnce(subject=f"{n}")),
        (claims, "MAX_CLAIMS", lambda n: Done(subject=f"{n}")),
    ],
)
def test_a_board_holds_so_many(
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    limit: str,
    new: Callable[[int], Command],
) -> None:
    """One more is refused; what is there already goes on."""
    monkeypatch.setattr(module, limit, 2)
    for n in (1, 2):
        board.do("ann", new(n))
    with pytest.raises(InvalidInput, match="its limit"):
        board.do("ann", new(3))

    assert board.do("ann", ClaimOnce(subject="2") if module is claims else ClaimTask()) is not None


@pytest.mark.parametrize(
    ("subject", "same"),
    [
        ("Who  locks\nOrders? ", "who locks orders?"),
        ("HTTPS://Wiki.Example", "https://wiki.example"),
        (" https://wiki.example/ ", "https://wiki.example"),
        ("https://wiki.example/A/#top", "https://wiki.example/A"),
        ("https://wiki.example/a/?q=B", "https://wiki.example/a?q=B"),
        ("https://Ann:Secret@Wiki.example:80/", "https://Ann:Secret@wiki.example:80"),
        ("https://wiki.example/ is down", "https://wiki.example/ is down"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_a_subject_is_compared_without_what_does_not_matter(subject: str, same: str) -> None:
    """Case and white space of text; of a URL the case of the host, fragment, last slash."""
    assert normalised(subject) == same


@given(st.text() | st.from_regex(r"[a-zA-Z]{2,5}://\S{1,30}", fullmatch=True))
@example("http://a//#")
def test_what_is_compared_stays_as_it_is(subject: str) -> None:
    """So `done` may be given the subject as it was asked, or as the answer shows it."""
    assert normalised(normalised(subject)) == normalised(subject)
