"""Tasks to read: the tree in order, and as a checklist."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from pinak_ray.agents.board.tasks.tasks import Task, TaskTree
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.language.shown import shown_in_markdown
from pinak_ray.records.answer_size import fitting
from pinak_ray.records.board.tasks import (
    SETTLED,
    BoardTask,
    TaskMarkdown,
    TaskMarkdownAnswer,
    Tasks,
    TasksAnswer,
    TaskStatus,
)

__all__ = ["show_task_markdown", "show_tasks"]


def show_tasks(log: EntryLog, view: Tasks, now: datetime) -> TasksAnswer:
    """Return tasks, each followed by those below it; raises NotFound."""
    tree = TaskTree.of(log, now)
    below = _counts_below(tree)
    tasks = tuple(
        _shown(tree, task, depth, below[task.id]) for task, depth in _in_order(tree, view.root)
    )
    settled = sum(task.status in SETTLED for task in tasks)
    return TasksAnswer(tasks=tasks, progress=settled / len(tasks) if tasks else 0.0)


def show_task_markdown(log: EntryLog, view: TaskMarkdown, now: datetime) -> TaskMarkdownAnswer:
    """Return tasks as a checklist, indented by depth; raises NotFound."""
    shown = show_tasks(log, Tasks(root=view.root), now)
    lines = [f"{_line(task)}\n" for task in shown.tasks]
    count = fitting(len(line.encode()) for line in lines)
    return TaskMarkdownAnswer(markdown="".join(lines[:count]), omitted=len(lines) - count)


def _in_order(tree: TaskTree, root: UUID | None) -> Iterator[tuple[Task, int]]:
    roots = tree.below.get(None, []) if root is None else [tree.get(root)]
    ahead = [(task, 0) for task in reversed(roots)]
    while ahead:
        task, depth = ahead.pop()
        yield task, depth
        ahead += [(child, depth + 1) for child in reversed(tree.below.get(task.id, []))]


def _counts_below(tree: TaskTree) -> dict[UUID, tuple[int, int]]:
    """Return for each task how many of those below it are settled, and how many there are."""
    counts = dict.fromkeys(tree.tasks, (0, 0))
    for task in reversed(tree.tasks.values()):  # children before their parents
        if task.state.parent is not None:
            settled, total = counts[task.state.parent]
            own_settled, own_total = counts[task.id]
            counts[task.state.parent] = (
                settled + own_settled + task.settled,
                total + own_total + 1,
            )
    return counts


def _shown(tree: TaskTree, task: Task, depth: int, below: tuple[int, int]) -> BoardTask:
    entry, (settled, total) = task.entry, below
    return BoardTask(
        **dict(task.state),
        id=entry.id,
        title=entry.content,
        author=entry.author,
        key=entry.key,
        version=entry.version,
        depth=depth,
        executable=tree.executable(task),
        waits_for=tree.waits_for(task),
        progress=settled / total if total else float(task.settled),
    )


def _line(task: BoardTask) -> str:
    remark = ""
    if task.lease is not None:
        remark = f" (in progress: {shown_in_markdown(task.lease.holder)})"
    elif task.status not in (TaskStatus.PENDING, TaskStatus.COMPLETED):
        remark = f" ({task.status})"
    elif task.waits_for:
        remark = f" (waits for {len(task.waits_for)})"
    mark = "x" if task.status in SETTLED else " "
    return f"{'  ' * task.depth}- [{mark}] {shown_in_markdown(task.title)}{remark}"
