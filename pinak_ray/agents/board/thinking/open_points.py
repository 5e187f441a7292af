"""Open points: what a board asks of one agent now."""

from collections.abc import Iterator
from datetime import datetime

from pinak_ray.agents.board.tasks.tasks import TaskTree
from pinak_ray.agents.board.thinking.contradiction_state import open_contradictions
from pinak_ray.agents.board.thinking.question_state import questions_of
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.open_points import OpenPoint, OpenPoints, OpenPointsAnswer
from pinak_ray.records.board.questions import QuestionStatus
from pinak_ray.records.memory.context import estimate_tokens
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["show_open_points"]

_YOURS, _TO_YOU = "yours", "to you"


def show_open_points(log: EntryLog, view: OpenPoints, now: datetime) -> OpenPointsAnswer:
    """Return what is open: for the reader alone first, then for all."""
    points = sorted(_points(log, view.reader, now), key=lambda p: p.state not in (_YOURS, _TO_YOU))
    whole = sum(
        estimate_tokens(f"{entry.kind}, {entry.author}: {entry.content}\n")
        for entry in log.read(0, (), 0, now=now)
    )
    return OpenPointsAnswer(points=tuple(points[: view.limit]), whole_tokens=whole)


def _points(log: EntryLog, reader: str, now: datetime) -> Iterator[OpenPoint]:
    for contradiction in open_contradictions(log, now):
        yield _point(contradiction.entry, "open")
    for entry, details in questions_of(log, now):
        if details.status is not QuestionStatus.ANSWERED:
            yield _point(entry, details.status, details.gaps)
    yield from _tasks(TaskTree.of(log, now), reader)
    for note in reversed(log.of_kind(EntryKind.NOTE, now=now)):
        to = note.details["to"]
        if note.author != reader and to in (None, reader):
            yield _point(note, "to all" if to is None else _TO_YOU)


def _tasks(tree: TaskTree, reader: str) -> Iterator[OpenPoint]:
    """Yield the tasks that the reader works on or may claim, the most urgent first."""
    for task in sorted(tree.tasks.values(), key=lambda task: task.state.priority):
        if task.lease is not None and task.lease.holder == reader:
            yield _point(task.entry, _YOURS)
        elif tree.executable(task):
            yield _point(task.entry, "executable")


def _point(entry: Entry, state: str, missing: tuple[str, ...] = ()) -> OpenPoint:
    return OpenPoint(
        kind=entry.kind,
        id=entry.id,
        author=entry.author,
        text=entry.content,
        state=state,
        missing=missing,
    )
