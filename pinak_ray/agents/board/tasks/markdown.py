"""The whole board as Markdown: what is open first, then what is known."""

import re
from collections.abc import Iterator
from datetime import datetime

from pinak_ray.agents.board.notes import show_notes
from pinak_ray.agents.board.tasks.progress import show_progress
from pinak_ray.agents.board.tasks.views import show_task_markdown
from pinak_ray.agents.board.thinking.action_state import open_actions
from pinak_ray.agents.board.thinking.finding_state import Finding, findings_of
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.language.shown import shown_in_markdown
from pinak_ray.records.board.contradictions import BoardContradiction
from pinak_ray.records.board.notes import Notes
from pinak_ray.records.board.progress import Markdown, MarkdownAnswer, Progress, ProgressAnswer
from pinak_ray.records.board.questions import BoardQuestion
from pinak_ray.records.board.tasks import TaskMarkdown
from pinak_ray.records.state.owners import EntryKind

__all__ = ["show_markdown"]

# One entry is a line or two: whoever wants all of it reads the entry.
_MAX_TEXT = 300
_MAX_LINES = 100
_PLAIN_URL = re.compile(r"https?://[!-;=?-~]+")


def show_markdown(log: EntryLog, view: Markdown, now: datetime) -> MarkdownAnswer:
    """Return the board's sections, as many whole lines as fit."""
    lines = [line for title, body in _sections(log, now) if body for line in ("", title, *body)]
    lines = lines[1:]
    room, shown = view.max_chars, 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        shown += 1
    text = "".join(f"{line}\n" for line in lines[:shown])
    return MarkdownAnswer(text=text, omitted=len(lines) - shown)


def _sections(log: EntryLog, now: datetime) -> Iterator[tuple[str, list[str]]]:
    progress = show_progress(log, Progress(limit=_MAX_LINES), now)
    findings = sorted(findings_of(log, now), key=lambda f: -f.details.confidence)
    actions = open_actions(log, now)
    public = log.of_kind(EntryKind.PUBLIC, now=now)
    notes = show_notes(log, Notes(limit=_MAX_LINES), now).notes
    yield "# Progress", [_progress(progress)]
    yield "## Contradictions", [_contradiction(each) for each in progress.contradictions]
    yield "## Questions", [line for each in progress.questions for line in _question(each)]
    yield "## Findings", [_finding(each) for each in findings[:_MAX_LINES]]
    yield (
        "## Actions",
        [
            f"- {action.details.priority} {_text(action.entry.content)}"
            + (f" ({_text(action.details.taken_by or '')})" if action.leased(now) else "")
            for action in actions[:_MAX_LINES]
        ],
    )
    yield (
        "## Tasks",
        show_task_markdown(log, TaskMarkdown(), now).markdown.splitlines()[:_MAX_LINES],
    )
    yield (
        "## Public",
        [
            f"- {_text(e.key or '')}: {_text(e.content)} ({_text(e.author)})"
            for e in public[:_MAX_LINES]
        ],
    )
    yield (
        "## Notes",
        [
            f"- {_text(note.author)} to {_text(note.to or 'all')}: {_text(note.content)}"
            for note in notes
        ],
    )


def _progress(progress: ProgressAnswer) -> str:
    state = "complete" if progress.complete else "open"
    tasks = "" if progress.tasks is None else f", tasks {progress.tasks:.0%}"
    return (
        f"{state}: confidence {progress.confidence:.2f}, {progress.asked} questions, "
        f"{progress.findings} findings, {progress.open_contradictions} open contradictions{tasks}"
    )


def _question(question: BoardQuestion) -> Iterator[str]:
    mark = "x" if question.answer else " "
    yield (
        f"- [{mark}] {_text(question.text)} "
        f"({question.status}, {question.confidence:.2f}, {question.findings} findings)"
    )
    if question.answer is not None:
        yield f"  - {_text(question.answer)} ({_text(question.answered_by or '')})"
    for gap in question.gaps:
        yield f"  - missing: {_text(gap)}"


def _contradiction(contradiction: BoardContradiction) -> str:
    return f"- {_text(contradiction.description)} ({_text(contradiction.author)})"


def _finding(finding: Finding) -> str:
    entry, details = finding
    marks = [details.type.value, f"{details.confidence:.2f}", _text(entry.author)]
    marks += ["refuted"] if details.refuted_by is not None else []
    sources = "".join(_source(source.url) for source in details.sources[:3])
    return f"- {_text(entry.content)} ({', '.join(marks)}){sources}"


def _source(url: str) -> str:
    return f" <{url}>" if _PLAIN_URL.fullmatch(url) else f" ({_text(url)})"


def _text(text: str) -> str:
    """Return a text as one line: an entry cannot make a heading of its own."""
    return shown_in_markdown(text, _MAX_TEXT)
