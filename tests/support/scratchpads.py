"""One scratchpad's log, commanded as a host would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.rules import execute, show
from pinak_ray.records.commands import Command, View
from pinak_ray.records.ids import uuid7
from pinak_ray.records.operations import Execute, Post
from pinak_ray.records.state.owners import Entry, EntryKind, Owner, Space

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER = Owner(1, Space.AGENT, "ada")


@dataclass
class Scratchpad:
    """The rules over a log, without a host."""

    log: EntryLog = field(default_factory=EntryLog)
    now: datetime = NOW

    def do(self, command: Command, id_: UUID | None = None) -> Any:
        """Carry out a command; return its receipt or answer."""
        operation: Execute[Any] = Execute(OWNER, id_ or uuid7(), OWNER.name, command)
        return execute(self.log, operation, self.now, {})[0]

    def made(self, command: Command) -> UUID:
        """Carry out a command; return its receipt's id."""
        id_: UUID = self.do(command).id
        return id_

    def post(self, kind: EntryKind, encoded_details: bytes, **fields: Any) -> UUID:
        """Post an entry by hand."""
        post = Post(OWNER, uuid7(), kind, OWNER.name, "by hand", encoded_details, **fields)
        return self.log.post(post, now=self.now)[0].id

    def show(self, view: View) -> Any:
        """Return a view."""
        return show(self.log, view, self.now)

    def entries(self, kind: EntryKind) -> list[Entry]:
        """Return the entries of one kind."""
        return self.log.of_kind(kind, now=self.now)

    def again(self) -> "Scratchpad":
        """Return it as another host would load it."""
        return Scratchpad(EntryLog.of(self.log.entries.values()), self.now)
