"""The part of a BoardHandle that divides the work: tasks, their leases, and claims on subjects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pinak_ray.client.handles.board.base import BoardBase
from pinak_ray.client.verbs import verb
from pinak_ray.records.board.claims import ClaimOnce, Claims, ClaimsAnswer, Done, SubjectClaim
from pinak_ray.records.board.tasks import (
    AddTask,
    ClaimTask,
    Finish,
    Heartbeat,
    Release,
    Retry,
    TaskClaim,
    TaskMarkdown,
    TaskMarkdownAnswer,
    Tasks,
    TasksAnswer,
    TaskStatus,
)
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import Execute, Query

__all__ = ["BoardTasks"]

# None of these but `add_task` takes an `ack`: a lease that its host could forget is none.
_DURABLE = Ack.DURABLE


@dataclass(frozen=True, slots=True, repr=False)
class BoardTasks(BoardBase):
    """Tasks as a tree with dependencies, claimed by lease; and "has anyone done this?"."""

    @verb
    def add_task(
        self,
        title: str,
        *,
        author: str,
        parent: UUID | str | None = None,
        after: Iterable[UUID | str] = (),
        criteria: str | None = None,
        priority: int = 5,
        details: Mapping[str, Any] | None = None,
        key: str | None = None,
        idempotency_key: str | None = None,
        ack: Ack | str = Ack.DURABLE,
    ) -> Execute[Receipt]:
        """Add a task; returns a Receipt, whose id is the task's.

        It can be executed once all tasks in `after` are completed or skipped, and so are those that
        have it as their `parent`. A lower `priority` (0 to 9) is more urgent. The same `key` again
        is the same task. Raises NotFound for unknown tasks, InvalidInput for a cycle, and Conflict
        for a parent that is over.
        """
        return self._execute(
            AddTask, author, idempotency_key, ack,
            title=title, parent=parent, after=tuple(after), criteria=criteria,
            priority=priority, details={} if details is None else details, key=key,
        )  # fmt: skip

    @verb
    def claim(
        self,
        task: UUID | str | None = None,
        *,
        author: str,
        lease_s: float = 60,
        idempotency_key: str | None = None,
    ) -> Execute[TaskClaim]:
        """Claim a task, or the most urgent that can be executed; returns a TaskClaim.

        Granted, it is the author's for `lease_s` seconds, and nobody else's; claiming a task that
        the author holds renews the lease. Otherwise it says who holds it until when, or what the
        task waits for. Raises NotFound.
        """
        return self._execute(
            ClaimTask, author, idempotency_key, _DURABLE, task=task, lease_s=lease_s
        )

    @verb
    def heartbeat(
        self,
        task: UUID | str,
        *,
        author: str,
        lease_s: float = 60,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Execute[TaskClaim]:
        """Hold a claimed task until `lease_s` seconds from now; returns a TaskClaim.

        Raises Conflict when the lease is lost: it expired, or it is not the one of `version`.
        """
        return self._execute(
            Heartbeat, author, idempotency_key, _DURABLE,
            task=task, lease_s=lease_s, version=version,
        )  # fmt: skip

    @verb
    def finish(
        self,
        task: UUID | str,
        *,
        author: str,
        status: TaskStatus | str = TaskStatus.COMPLETED,
        output: Any = None,
        artifacts: Iterable[str] = (),
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Execute[Receipt]:
        """Say how a claimed task ended: completed, failed, skipped or blocked; returns a Receipt.

        `output` is JSON, `artifacts` are names of what was made. Raises Conflict unless the author
        holds the task, under the lease of `version` if that is given; and where a task that waits
        for others would be completed or skipped.
        """
        return self._execute(
            Finish, author, idempotency_key, _DURABLE,
            task=task, status=status, output=output, artifacts=tuple(artifacts), version=version,
        )  # fmt: skip

    @verb
    def release(
        self,
        task: UUID | str,
        *,
        author: str,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Execute[Receipt]:
        """Give a claimed task back unfinished; returns a Receipt. Raises Conflict as `finish`."""
        return self._execute(Release, author, idempotency_key, _DURABLE, task=task, version=version)

    @verb
    def retry(
        self, task: UUID | str, *, author: str, idempotency_key: str | None = None
    ) -> Execute[Receipt]:
        """Let a failed or blocked task be claimed again; returns a Receipt. Raises Conflict."""
        return self._execute(Retry, author, idempotency_key, _DURABLE, task=task)

    @verb
    def tasks(self, *, root: UUID | str | None = None, skip: int = 0) -> Query[TasksAnswer]:
        """Read all tasks, or one and what is below it, each followed by its children."""
        return self._query(Tasks, root=root, skip=skip)

    @verb
    def task_markdown(self, *, root: UUID | str | None = None) -> Query[TaskMarkdownAnswer]:
        """Read the same as a checklist."""
        return self._query(TaskMarkdown, root=root)

    @verb
    def claim_once(
        self,
        subject: str,
        *,
        author: str,
        lease_s: float = 300,
        idempotency_key: str | None = None,
    ) -> Execute[SubjectClaim]:
        """Ask whether anyone has done this (a search, a URL); returns a SubjectClaim.

        Granted, the author is to do it, within `lease_s` seconds, and to say so by `done`.
        Otherwise it says who does it until when, or who did it with which result.
        """
        return self._execute(
            ClaimOnce, author, idempotency_key, _DURABLE, subject=subject, lease_s=lease_s
        )

    @verb
    def done(
        self,
        subject: str,
        *,
        author: str,
        result: Any = None,
        ttl_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Execute[Receipt]:
        """Record the result of a subject, for whoever claims it later; returns a Receipt.

        After `ttl_s` seconds it is due again. Raises Conflict where another has it or has done it.
        """
        return self._execute(
            Done, author, idempotency_key, _DURABLE, subject=subject, result=result, ttl_s=ttl_s
        )

    @verb
    def claims(self, *, limit: int = 100, skip: int = 0) -> Query[ClaimsAnswer]:
        """Read what is being done or was done once, newest first."""
        return self._query(Claims, limit=limit, skip=skip)
