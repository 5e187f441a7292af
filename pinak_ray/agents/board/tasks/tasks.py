"""Tasks: a tree with dependencies, and which of them can be executed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.tasks import (
    SETTLED,
    AddTask,
    Retry,
    TaskAttempt,
    TaskLease,
    TaskState,
    TaskStatus,
)
from pinak_ray.records.errors import Conflict, InvalidInput, NotFound
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["MAX_TASKS", "Task", "TaskTree", "add_task", "ended", "retry"]

# Each decision reads all tasks of its board, at 10 us a task.
MAX_TASKS = 1_000
_ATTEMPTS_KEPT = 10


@dataclass(frozen=True, slots=True)
class Task:
    """One task as it is now: an expired lease is over, whether or not anyone has noticed."""

    entry: Entry
    state: TaskState

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "Task":
        """Return the task of an entry."""
        state = TaskState.model_validate_json(entry.encoded_details)
        if state.lease is not None and state.lease.expires_at <= now:
            lease, pending = state.lease, TaskStatus.PENDING
            state = ended(state, lease, "expired", lease.expires_at, status=pending)
        return cls(entry, state)

    @property
    def id(self) -> UUID:
        """The task's id."""
        return self.entry.id

    @property
    def lease(self) -> TaskLease | None:
        """The lease under which someone works on it."""
        return self.state.lease

    @property
    def settled(self) -> bool:
        """True if nothing waits for it any more."""
        return self.state.status in SETTLED

    def draft(self, state: TaskState) -> Draft:
        """Return the task in another state."""
        entry, details = self.entry, state.model_dump(mode="json")
        return Draft(
            EntryKind.TASK, entry.content, details, id=entry.id, key=entry.key, author=entry.author
        )


@dataclass(frozen=True, slots=True)
class TaskTree:
    """All tasks of a board, in the order in which they were added: parents before children."""

    tasks: dict[UUID, Task]
    below: dict[UUID | None, list[Task]]
    """The children of each task; of None, the roots."""

    @classmethod
    def of(cls, log: EntryLog, now: datetime) -> "TaskTree":
        """Return the tasks as they are now."""
        found = [Task.of(entry, now) for entry in log.of_kind(EntryKind.TASK, now=now)]
        found.sort(key=lambda task: task.state.place)
        below: dict[UUID | None, list[Task]] = {}
        for task in found:
            below.setdefault(task.state.parent, []).append(task)
        return cls({task.id: task for task in found}, below)

    def get(self, id_: UUID) -> Task:
        """Return one task; raises NotFound."""
        task = self.tasks.get(id_)
        if task is None:
            raise NotFound(f"there is no task {id_} here")
        return task

    def waits_for(self, task: Task) -> tuple[UUID, ...]:
        """Return what must be completed or skipped before the task can be executed."""
        return tuple(id_ for id_ in self._before(task) if not self.tasks[id_].settled)

    def executable(self, task: Task) -> bool:
        """Return True if the task may be claimed by anyone."""
        return task.state.status is TaskStatus.PENDING and not self.waits_for(task)

    def most_urgent(self) -> Task | None:
        """Return the executable task of the highest priority; of several, the one added first."""
        executable = filter(self.executable, self.tasks.values())
        return min(executable, key=lambda task: task.state.priority, default=None)

    def check_new(self, command: AddTask) -> None:
        """Raise what speaks against a new task: NotFound, Conflict, or InvalidInput for a cycle."""
        if len(self.tasks) >= MAX_TASKS:
            raise InvalidInput(f"this holds {MAX_TASKS} tasks, its limit; start another board")
        for id_ in command.after:
            self.get(id_)
        if command.parent is None:
            return
        if self.get(command.parent).settled:
            raise Conflict(f"task {command.parent} is over; nothing can be added below it")
        # The parent will wait for the new task, which must not wait for the parent.
        seen: set[UUID] = set()
        ahead = list(command.after)
        while ahead:
            id_ = ahead.pop()
            if id_ == command.parent:
                raise InvalidInput("a task cannot come after what waits for it")
            if id_ not in seen:
                seen.add(id_)
                ahead += self._before(self.tasks[id_])

    def _before(self, task: Task) -> tuple[UUID, ...]:
        children = (child.id for child in self.below.get(task.id, ()))
        return (*task.state.after, *children)


def add_task(log: EntryLog, command: AddTask, call: Call) -> Decision:
    """Add a task; one of the same key, or of this very operation, is there already."""
    tree = TaskTree.of(log, call.now)
    held = tree.tasks.get(call.id)
    if held is not None:
        return Decision(held=held.entry)
    if command.key is not None:
        entry = log.keyed(EntryKind.TASK, command.key, now=call.now)
        if entry is not None:
            return Decision(held=entry)
    tree.check_new(command)
    state = TaskState(place=len(tree.tasks), **command.model_dump(exclude={"title", "key"}))
    details = state.model_dump(mode="json")
    return Decision((Draft(EntryKind.TASK, command.title, details, key=command.key),))


def retry(log: EntryLog, command: Retry, call: Call) -> Decision:
    """Make a failed or blocked task pending again; raises NotFound and Conflict."""
    task = TaskTree.of(log, call.now).get(command.task)
    if task.state.status not in (TaskStatus.FAILED, TaskStatus.BLOCKED):
        raise Conflict(f"task {task.id} is {task.state.status}; only what failed is tried again")
    return Decision((task.draft(task.state.model_copy(update={"status": TaskStatus.PENDING})),))


def ended(
    state: TaskState,
    lease: TaskLease,
    outcome: str,
    at: datetime,
    operation_id: UUID | None = None,
    **changes: Any,
) -> TaskState:
    """Return the state after the execution under this lease; of all, the last ones are kept."""
    attempt = TaskAttempt(
        author=lease.holder,
        started_at=lease.since,
        ended_at=at,
        seconds=(at - lease.since).total_seconds(),
        outcome=outcome,
        operation_id=operation_id,
    )
    history = (*state.history, attempt)[-_ATTEMPTS_KEPT:]
    return state.model_copy(update={"lease": None, "history": history, **changes})
