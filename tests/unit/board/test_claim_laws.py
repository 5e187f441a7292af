"""A law: no interleaving gives one task, or one subject, to two agents."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from pinak_ray.records.board.claims import ClaimOnce, Done
from pinak_ray.records.board.tasks import (
    AddTask,
    ClaimTask,
    Finish,
    Heartbeat,
    Release,
    Retry,
    Tasks,
)
from pinak_ray.records.commands import Command
from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.state.owners import Owner, Space
from tests.support.host_machine import HostMachine, drive

BOARD = Owner(7, Space.BOARD, "plan")

AUTHORS = st.sampled_from(["ann", "bob", "eve"])
WHICH = st.integers(0, 4)
SUBJECTS = st.sampled_from(["who locks orders?", "https://wiki.example/runbook"])
LEASES = st.sampled_from([1, 10])
ENDS = st.sampled_from(["completed", "failed", "skipped", "blocked"])


class Holding(NamedTuple):
    """What an agent was told that it has."""

    author: str
    expires_at: datetime
    version: int | None = None


class Claims(HostMachine):
    """Agents who claim, hold, lose and end tasks and subjects; what they were told must agree."""

    def __init__(self, runner: asyncio.Runner) -> None:
        super().__init__(runner)
        self.tasks: list[UUID] = []
        self.held: dict[UUID | str, Holding] = {}
        self.versions: dict[UUID, int] = {}
        self.over: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.execute("ann", AddTask(title="first"))

    def execute(self, author: str, *commands: Command) -> None:
        self.apply(*(Execute(BOARD, uuid4(), author, command) for command in commands))

    def task(self, which: int) -> UUID:
        return self.tasks[which % len(self.tasks)] if self.tasks else uuid4()

    @rule(author=AUTHORS, parent=st.none() | WHICH, after=st.none() | WHICH)
    def add(self, author: str, parent: int | None, after: int | None) -> None:
        above = None if parent is None else self.task(parent)
        before = () if after is None else (self.task(after),)
        self.execute(author, AddTask(title="next", parent=above, after=before))

    @rule(author=AUTHORS, which=st.none() | WHICH, lease_s=LEASES)
    def claim(self, author: str, which: int | None, lease_s: float) -> None:
        task = None if which is None else self.task(which)
        self.execute(author, ClaimTask(task=task, lease_s=lease_s))

    @rule(which=st.none() | WHICH, authors=st.lists(AUTHORS, min_size=2, max_size=5))
    def claim_at_once(self, which: int | None, authors: list[str]) -> None:
        command = ClaimTask(task=None if which is None else self.task(which))
        self.race(*(Execute(BOARD, uuid4(), author, command) for author in authors))

    @rule(author=AUTHORS, which=WHICH, lease_s=LEASES, fenced=st.booleans())
    def heartbeat(self, author: str, which: int, lease_s: float, fenced: bool) -> None:
        task = self.task(which)
        version = self.versions.get(task) if fenced else None
        self.execute(author, Heartbeat(task=task, lease_s=lease_s, version=version))

    @rule(author=AUTHORS, which=WHICH, status=ENDS)
    def finish(self, author: str, which: int, status: Any) -> None:
        self.execute(author, Finish(task=self.task(which), status=status))

    @rule(author=AUTHORS, which=WHICH)
    def release(self, author: str, which: int) -> None:
        self.execute(author, Release(task=self.task(which)))

    @rule(author=AUTHORS, which=WHICH)
    def retry(self, author: str, which: int) -> None:
        self.execute(author, Retry(task=self.task(which)))

    @rule(author=AUTHORS, other=AUTHORS, which=WHICH)
    def hand_over(self, author: str, other: str, which: int) -> None:
        """In one batch, which one refused commit takes back as a whole."""
        task = self.task(which)
        self.apply(
            Execute(BOARD, uuid4(), author, ClaimTask(task=task)),
            Execute(BOARD, uuid4(), author, Release(task=task)),
            Execute(BOARD, uuid4(), other, ClaimTask(task=task)),
        )

    @rule(authors=st.lists(AUTHORS, min_size=1, max_size=3), subject=SUBJECTS, lease_s=LEASES)
    def claim_once(self, authors: list[str], subject: str, lease_s: float) -> None:
        command = ClaimOnce(subject=subject, lease_s=lease_s)
        self.race(*(Execute(BOARD, uuid4(), author, command) for author in authors))

    @rule(author=AUTHORS, subject=SUBJECTS)
    def done(self, author: str, subject: str) -> None:
        self.execute(author, Done(subject=f" {subject}\n"))

    @rule(seconds=st.sampled_from([0.5, 1, 10]))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def holder_of(self, what: UUID | str) -> Holding | None:
        """Return who was told to have it, and may still believe it."""
        holding = self.held.get(what)
        return holding if holding is not None and holding.expires_at > self.now else None

    def heard(self, operation: Any, result: Any) -> None:
        if isinstance(result, PinakError):
            return
        author, command = operation.author, operation.command
        match command:
            case AddTask() if result.id not in self.tasks:
                self.tasks.append(result.id)
            case ClaimTask() | Heartbeat() if result.granted:
                holding = self.holder_of(result.task)
                assert holding is None or holding.author == author
                last = self.versions.get(result.task, 0)
                assert result.version > last or (holding and holding.version == result.version)
                self.versions[result.task] = result.version
                self.held[result.task] = Holding(author, result.lease_expires_at, result.version)
            case Finish() | Release() if result.new:
                holding = self.holder_of(command.task)
                assert holding is not None
                assert holding.author == author
                del self.held[command.task]
            case ClaimOnce() if result.granted:
                holding = self.holder_of(command.subject)
                assert holding is None or holding.author == author
                assert command.subject not in self.over
                self.held[command.subject] = Holding(author, result.expires_at)
            case Done() if result.new:
                subject = command.subject.strip()
                holding = self.holder_of(subject)
                assert holding is None or holding.author == author
                assert subject not in self.over
                self.over.add(subject)

    @invariant()
    def the_board_agrees(self) -> None:
        """Whoever was told to hold a task is shown as its holder, and nobody else is."""
        shown = self.ask(Query(BOARD, Tasks())).tasks
        assert {task.id for task in shown} >= set(self.tasks)
        for task in shown:
            lease, holding = task.lease, self.holder_of(task.id)
            told = None if lease is None else (lease.holder, lease.expires_at, lease.version)
            assert told == holding
            assert not (task.executable and task.waits_for)


def test_no_interleaving_gives_one_task_to_two_agents() -> None:
    """Claims race, repeat, lapse and are refused; hosts crash: each has at most one holder."""
    drive(Claims, steps=40)
