"""A board's log, and commands carried out on it as a host would."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.rules import execute, show
from pinak_ray.records.commands import Command, View
from pinak_ray.records.operations import Execute
from pinak_ray.records.state.owners import Entry, Owner, Space

__all__ = ["BOARD", "NOW", "Board"]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BOARD = Owner(1, Space.BOARD, "incident")


class Board:
    """A log whose clock a test moves."""

    def __init__(self) -> None:
        self.log = EntryLog()
        self.now = NOW

    def do(self, command: Command, author: str = "ann", id_: UUID | None = None) -> Any:
        """Carry a command out; return its receipt or answer."""
        operation: Execute[Any] = Execute(BOARD, id_ or uuid4(), author, command)
        result, _ = execute(self.log, operation, self.now, {})
        return result

    def show(self, view: View) -> Any:
        """Return what a view shows."""
        return show(self.log, view, self.now)

    def entry(self, id_: UUID) -> Entry:
        """Return one entry."""
        return self.log.entries[id_]

    def unchanged(self, act: Callable[[], Any]) -> bool:
        """Tell whether this writes nothing."""
        before = self.log.seq
        act()
        return self.log.seq == before
