"""Tasks on a board: a tree with dependencies, worked on under leases."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from pinak_ray.records.board.fields import JsonObject
from pinak_ray.records.commands import Answer, Command, ListAnswer, Listed, View
from pinak_ray.records.fields import Json, Labels, Name, Text, Version
from pinak_ray.records.limits import MAX_LABELS, MIN_TTL_S
from pinak_ray.records.state.owners import Space

__all__ = [
    "MAX_LEASE_S",
    "SETTLED",
    "AddTask",
    "BoardTask",
    "ClaimTask",
    "Finish",
    "Heartbeat",
    "LeaseSeconds",
    "Release",
    "Retry",
    "TaskAttempt",
    "TaskClaim",
    "TaskLease",
    "TaskMarkdown",
    "TaskMarkdownAnswer",
    "TaskState",
    "TaskStatus",
    "Tasks",
    "TasksAnswer",
]

# What a dead worker holds back at most; a living one sends heartbeats.
MAX_LEASE_S = 86_400

LeaseSeconds = Annotated[float, Field(ge=MIN_TTL_S, le=MAX_LEASE_S, allow_inf_nan=False)]


class TaskStatus(StrEnum):
    """Where a task stands. A lease that has expired leaves its task pending."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


SETTLED = frozenset({TaskStatus.COMPLETED, TaskStatus.SKIPPED})
"""Nothing waits for these any more."""


class TaskLease(Answer):
    """Who works on a task, and until when nobody else may."""

    holder: str
    since: datetime
    expires_at: datetime
    version: int
    """The task's version when the lease was granted: a fencing number, which rises by each grant
    and which heartbeats leave alone."""
    operation_id: UUID
    """The claim that was granted."""


class TaskAttempt(Answer):
    """One execution that is over."""

    author: str
    started_at: datetime
    ended_at: datetime
    seconds: float
    outcome: Literal["completed", "failed", "skipped", "blocked", "released", "expired"]
    operation_id: UUID | None
    """What ended it, unless it expired."""


class TaskState(Answer):
    """What is kept of a task besides its title."""

    parent: UUID | None
    after: tuple[UUID, ...]
    place: int
    """How many tasks were there before it."""
    criteria: str | None
    priority: int
    details: dict[str, Any]
    status: TaskStatus = TaskStatus.PENDING
    lease: TaskLease | None = None
    output: Any = None
    artifacts: tuple[str, ...] = ()
    history: tuple[TaskAttempt, ...] = ()
    """The last executions, oldest first."""


class BoardTask(TaskState):
    """One task in its tree."""

    id: UUID
    title: str
    author: str
    key: str | None
    version: int
    depth: int
    """How many tasks are above it."""
    executable: bool
    waits_for: tuple[UUID, ...]
    """Tasks below it, or before it, that are neither completed nor skipped."""
    progress: float
    """The share of the tasks below it that are completed or skipped; without any, 0 or 1."""


class AddTask(Command, space=Space.BOARD, verb="add_task"):
    """A new task, below its parent and after others. The same `key` again is the same task."""

    title: Text
    parent: UUID | None = None
    after: Annotated[tuple[UUID, ...], Field(max_length=MAX_LABELS)] = ()
    """Tasks that must be completed or skipped before."""
    criteria: Text | None = None
    """When it is completed."""
    priority: Annotated[int, Field(ge=0, le=9)] = 5
    """The lower, the more urgent."""
    details: JsonObject = Field(default_factory=dict)
    key: Name | None = None


class TaskClaim(Answer):
    """What came of a claim: whether it was granted, or who has the task until when."""

    granted: bool
    task: UUID | None = None
    """None: no task can be executed now."""
    title: str | None = None
    criteria: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)
    status: TaskStatus | None = None
    holder: str | None = None
    lease_expires_at: datetime | None = None
    version: int | None = None
    """The lease's fencing number, for `finish`."""
    waits_for: tuple[UUID, ...] = ()


class ClaimTask(Command, space=Space.BOARD, verb="claim"):
    """Take a task for a while: this one, or the most urgent that can be executed."""

    answer = TaskClaim

    task: UUID | None = None
    lease_s: LeaseSeconds = 60


class Heartbeat(Command, space=Space.BOARD, verb="heartbeat"):
    """Hold a claimed task for longer: `lease_s` from now."""

    answer = TaskClaim

    task: UUID
    lease_s: LeaseSeconds = 60
    version: Version | None = None
    """The fencing number of the claim."""


class Finish(Command, space=Space.BOARD, verb="finish"):
    """Say how a claimed task ended."""

    task: UUID
    status: Literal[
        TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.BLOCKED
    ] = TaskStatus.COMPLETED
    output: Json = None
    artifacts: Labels = ()
    version: Version | None = None
    """The fencing number of the claim."""


class Release(Command, space=Space.BOARD, verb="release"):
    """Give a claimed task back."""

    task: UUID
    version: Version | None = None
    """The fencing number of the claim."""


class Retry(Command, space=Space.BOARD, verb="retry"):
    """Let a failed or blocked task be claimed again."""

    task: UUID


class TasksAnswer(ListAnswer):
    """Tasks, each followed by those below it."""

    tasks: tuple[BoardTask, ...]
    progress: float
    """The share of them that are completed or skipped."""


class Tasks(Listed, View, space=Space.BOARD, name="tasks"):
    """All tasks of a board, or one and what is below it."""

    answer = TasksAnswer
    lists = ("tasks",)

    root: UUID | None = None


class TaskMarkdownAnswer(Answer):
    """Tasks as a checklist; `omitted` lines are more than one answer holds: ask by `root`."""

    markdown: str
    omitted: int = 0


class TaskMarkdown(View, space=Space.BOARD, name="task_markdown"):
    """The same as text for people and prompts."""

    answer = TaskMarkdownAnswer

    root: UUID | None = None
