"""The queue of actions: the most urgent first, one agent at a time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pinak_ray.records.board.actions import (
    Actions,
    BoardAction,
    FinishAction,
    PushAction,
    TakeAction,
)
from pinak_ray.records.errors import Conflict, NotFound
from tests.support.boards import Board

AGENTS = st.sampled_from(["ann", "bob", "eve"])


def take(board: Board, author: str = "ann", **fields: object) -> BoardAction | None:
    """Take an action."""
    action: BoardAction | None = board.do(TakeAction(**fields), author).action
    return action


@given(priorities=st.lists(st.integers(0, 9), max_size=12))
def test_the_most_urgent_comes_first_and_of_these_the_oldest(priorities: list[int]) -> None:
    """Taking all of them is sorting them, and the view shows that order."""
    board = Board()
    for place, priority in enumerate(priorities):
        board.do(PushAction(type=f"{place}", priority=priority))
    expected = [f"{place}" for _, place in sorted((p, n) for n, p in enumerate(priorities))]

    assert [a.type for a in board.show(Actions(limit=100)).actions] == expected
    taken = [take(board) for _ in priorities]
    assert [action.type for action in taken if action is not None] == expected
    assert take(board) is None


def test_only_what_is_asked_for_is_taken() -> None:
    """An agent takes the types that it can do."""
    board = Board()
    board.do(PushAction(type="search", priority=1))
    board.do(PushAction(type="verify", priority=5, details={"what": "port"}))

    found = take(board, types=("verify", "sum_up"))
    assert found is not None
    assert (found.type, found.details, found.taken_by) == ("verify", {"what": "port"}, "ann")
    assert take(board, types=("verify",)) is None
    assert [a.type for a in board.show(Actions(types=("search",))).actions] == ["search"]


def test_an_action_whose_lease_runs_out_is_in_the_queue_again() -> None:
    """The next agent gets it, and the first one can no longer finish it; until then it can."""
    board = Board()
    board.do(PushAction(type="search"))
    first = take(board, "ann", lease_s=10)
    assert first is not None
    assert take(board, "bob") is None
    board.now += timedelta(seconds=10)
    second = take(board, "bob")
    assert second is not None
    assert second.id == first.id

    with pytest.raises(Conflict, match="bob"):
        board.do(FinishAction(action=first.id, outcome="found"), "ann")
    board.now += timedelta(seconds=100)
    assert board.do(FinishAction(action=first.id, outcome="found"), "bob").new


def test_a_retried_take_gets_the_same_action() -> None:
    """The answer may be lost on the way: the same call again does not take a second one."""
    board, id_ = Board(), uuid4()
    for _ in range(2):
        board.do(PushAction(type="search"))
    first = board.do(TakeAction(), "ann", id_)

    assert board.do(TakeAction(), "ann", id_) == first
    assert take(board, "ann") != first.action


def test_a_retried_push_finds_what_became_of_its_action() -> None:
    """An action that was taken meanwhile is not put back."""
    board, id_ = Board(), uuid4()
    push = PushAction(type="search")
    board.do(push, "ann", id_)
    take(board, "bob")

    assert board.unchanged(lambda: board.do(push, "ann", id_))
    assert take(board, "eve") is None


def test_an_action_is_finished_once_and_then_makes_room() -> None:
    """The same outcome again is the first one, another one a Conflict; nobody finishes what he
    has not taken; after a day it is gone."""
    board = Board()
    id_ = board.do(PushAction(type="search")).id
    with pytest.raises(Conflict, match="take it first"):
        board.do(FinishAction(action=id_, outcome="found"))
    take(board)
    done = FinishAction(action=id_, outcome="found")
    board.do(done)
    assert board.unchanged(lambda: board.do(done))
    with pytest.raises(Conflict, match="found"):
        board.do(FinishAction(action=id_, outcome="nothing"))
    board.now += timedelta(days=1)
    with pytest.raises(NotFound):
        board.do(done)


class Queue(RuleBasedStateMachine):
    """Agents that push, take and finish, while leases run out."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.held: dict[object, tuple[str, object]] = {}
        """Of each action, who holds it until when."""
        self.finished: set[object] = set()

    @rule(priority=st.integers(0, 9))
    def push(self, priority: int) -> None:
        self.board.do(PushAction(type="search", priority=priority))

    @rule(agent=AGENTS, lease_s=st.sampled_from([1, 5]))
    def take(self, agent: str, lease_s: float) -> None:
        action = take(self.board, agent, lease_s=lease_s)
        if action is not None:
            assert action.id not in self.finished
            _, until = self.held.get(action.id, (None, self.board.now))
            assert until <= self.board.now, "two agents held it at a time"  # type: ignore[operator]
            self.held[action.id] = (agent, action.leased_until)

    @rule(agent=AGENTS)
    def finish(self, agent: str) -> None:
        for id_, (holder, _) in self.held.items():
            if id_ not in self.finished and holder == agent:
                self.board.do(FinishAction(action=id_, outcome="done"), agent)
                self.finished.add(id_)
                break

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds: int) -> None:
        self.board.now += timedelta(seconds=seconds)

    @invariant()
    def nothing_finished_is_in_the_queue(self) -> None:
        """The view shows all that is unfinished, and no more."""
        shown = {action.id for action in self.board.show(Actions(limit=100)).actions}
        assert not shown & self.finished


TestQueue = Queue.TestCase
