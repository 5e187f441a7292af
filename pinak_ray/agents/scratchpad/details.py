"""What an entry's details say. Callers may also post entries by hand, with details of their own:
what is not of the expected form counts as not said.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pinak_ray.agents.log.decisions import Decision
from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["MAX_REMEMBERED", "added", "again", "ids_of", "share_of", "text_of"]

MAX_REMEMBERED = 32
"""How many of the operations that changed an entry in place it remembers, for their retries."""


def share_of(details: Mapping[str, Any], name: str, otherwise: float) -> float:
    """Return a number from 0 to 1."""
    value = details.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return otherwise
    return float(value)


def text_of(details: Mapping[str, Any], name: str) -> str | None:
    """Return a text."""
    value = details.get(name)
    return value if isinstance(value, str) else None


def ids_of(details: Mapping[str, Any], name: str) -> tuple[UUID, ...]:
    """Return ids: of a list, or the one that stands there alone."""
    given = details.get(name)
    found = []
    for value in given if isinstance(given, list) else (given,):
        if isinstance(value, str):
            try:
                found.append(UUID(value))
            except ValueError:
                continue
    return tuple(found)


def again(entry: Entry, details: Mapping[str, Any]) -> Draft:
    """Return an entry that takes its own place with other details."""
    return Draft(entry.kind, entry.content, details, entry.id, entry.key, entry.expires_at)


def added(
    log: EntryLog, call: Call, kind: EntryKind, content: str, details: Mapping[str, Any]
) -> Decision:
    """Add an entry; the same operation again finds its own, whatever has become of it since."""
    made = log.entries.get(call.id)
    if made is not None:
        return Decision(held=made)
    return Decision((Draft(kind, content, details),))
