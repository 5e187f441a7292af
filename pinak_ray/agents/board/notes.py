"""Notes: what an agent tells all others, or one of them."""

from datetime import datetime

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.notes import BoardNote, Notes, NotesAnswer, Tell
from pinak_ray.records.state.owners import EntryKind

__all__ = ["show_notes", "tell"]


def tell(log: EntryLog, command: Tell, call: Call) -> Decision:
    """Add a note."""
    details = {"to": command.to, "recommendation": command.recommendation}
    return Decision((Draft(EntryKind.NOTE, command.content, details),))


def show_notes(log: EntryLog, view: Notes, now: datetime) -> NotesAnswer:
    """Return the newest notes for a reader."""
    found = [
        BoardNote(id=note.id, author=note.author, content=note.content, **note.details)
        for note in reversed(log.of_kind(EntryKind.NOTE, now=now))
        if view.reader is None or note.details["to"] in (None, view.reader)
    ]
    return NotesAnswer(notes=tuple(found[: view.limit]))
