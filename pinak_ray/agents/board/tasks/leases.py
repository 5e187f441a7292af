"""Leases: one agent at a time works on a task, and a dead one only until its lease expires.

Nothing sweeps: whoever reads a task compares its lease with the host's clock.
"""

from datetime import timedelta
from typing import Any

from pinak_ray.agents.board.tasks.tasks import Task, TaskTree, ended
from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.tasks import (
    SETTLED,
    ClaimTask,
    Finish,
    Heartbeat,
    Release,
    TaskClaim,
    TaskLease,
    TaskStatus,
)
from pinak_ray.records.errors import Conflict

__all__ = ["claim", "finish", "heartbeat", "release"]


def claim(log: EntryLog, command: ClaimTask, call: Call) -> Decision:
    """Grant a lease on a task, renew the caller's own, or say why not; raises NotFound.

    The same operation again finds the task that it was granted before, and takes no second one.
    """
    tree = TaskTree.of(log, call.now)
    if command.task is not None:
        task: Task | None = tree.get(command.task)
    else:
        task = _granted_to(tree, call) or tree.most_urgent()
    if task is None:
        return Decision(answer=TaskClaim(granted=False))
    if task.lease is not None and task.lease.holder == call.author:
        return _leased(task, task.lease, command.lease_s, call)
    if not tree.executable(task):
        refused = _answer(task, task.lease, granted=False, waits_for=tree.waits_for(task))
        return Decision(answer=refused)
    new = TaskLease(
        holder=call.author,
        since=call.now,
        expires_at=call.now,
        version=task.entry.version + 1,
        operation_id=call.id,
    )
    return _leased(task, new, command.lease_s, call)


def heartbeat(log: EntryLog, command: Heartbeat, call: Call) -> Decision:
    """Let the caller's lease end later; raises NotFound, and Conflict when it is lost."""
    task = TaskTree.of(log, call.now).get(command.task)
    return _leased(task, _held(task, command, call), command.lease_s, call)


def finish(log: EntryLog, command: Finish, call: Call) -> Decision:
    """Record how the caller's task ended; raises NotFound, and Conflict when its lease is lost."""
    what: dict[str, Any] = command.model_dump(include={"status", "output", "artifacts"})
    return _end(log, command, call, command.status, **what)


def release(log: EntryLog, command: Release, call: Call) -> Decision:
    """Give up the caller's lease; raises NotFound, and Conflict when it is lost."""
    return _end(log, command, call, "released", status=TaskStatus.PENDING)


def _end(
    log: EntryLog,
    command: Finish | Release,
    call: Call,
    outcome: str,
    *,
    status: TaskStatus,
    **what: Any,
) -> Decision:
    tree = TaskTree.of(log, call.now)
    task = tree.get(command.task)
    if any(attempt.operation_id == call.id for attempt in task.state.history):
        return Decision(held=task.entry)  # the same operation again, after the task has gone on
    lease = _held(task, command, call)
    if status in SETTLED and (open_ := tree.waits_for(task)):
        raise Conflict(f"task {task.id} waits for {', '.join(map(str, open_))}")
    state = ended(task.state, lease, outcome, call.now, call.id, status=status, **what)
    return Decision((task.draft(state),))


def _held(task: Task, command: Heartbeat | Finish | Release, call: Call) -> TaskLease:
    lease = task.lease
    if lease is None:
        raise Conflict(f"task {task.id} is {task.state.status}, and nobody holds it; claim it")
    if lease.holder != call.author:
        until = lease.expires_at.isoformat()
        raise Conflict(f"task {task.id} is held by {lease.holder!r} until {until}")
    if command.version not in (None, lease.version):
        raise Conflict(f"task {task.id} was claimed again since version {command.version}")
    return lease


def _granted_to(tree: TaskTree, call: Call) -> Task | None:
    for task in tree.tasks.values():
        if task.lease is not None and task.lease.operation_id == call.id:
            return task
    return None


def _leased(task: Task, lease: TaskLease, lease_s: float, call: Call) -> Decision:
    """Write the lease, to end that long from now, and answer that it is granted."""
    lease = lease.model_copy(update={"expires_at": call.now + timedelta(seconds=lease_s)})
    state = task.state.model_copy(update={"lease": lease, "status": TaskStatus.IN_PROGRESS})
    task = Task(task.entry, state)
    return Decision((task.draft(state),), answer=_answer(task, lease, granted=True))


def _answer(task: Task, lease: TaskLease | None, **fields: Any) -> TaskClaim:
    return TaskClaim(
        task=task.id,
        title=task.entry.content,
        criteria=task.state.criteria,
        details=task.state.details,
        status=task.state.status,
        holder=None if lease is None else lease.holder,
        lease_expires_at=None if lease is None else lease.expires_at,
        version=None if lease is None else lease.version,
        **fields,
    )
