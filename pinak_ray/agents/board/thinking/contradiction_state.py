"""A contradiction as a value."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from pinak_ray.agents.log.drafts import Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.contradictions import BoardContradiction
from pinak_ray.records.errors import NotFound
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["Contradiction", "ContradictionDetails", "contradiction_with", "open_contradictions"]


class ContradictionDetails(BaseModel):
    """What a contradiction's entry has as details."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[UUID, UUID]
    questions: tuple[UUID, ...] = ()
    """Those of both findings: they are in conflict as long as it is open."""
    how: str | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    kept: UUID | None = None


class Contradiction(NamedTuple):
    """A contradiction's entry, and its details as they are or shall be."""

    entry: Entry
    details: ContradictionDetails

    @property
    def open(self) -> bool:
        """Whether nobody has resolved it."""
        return self.details.resolved_at is None

    def about(self, questions: Iterable[UUID]) -> "Contradiction":
        """Return it with these questions among its own."""
        united = tuple(sorted({*self.details.questions, *questions}))
        return self._replace(details=self.details.model_copy(update={"questions": united}))

    def draft(self) -> Draft:
        """Return its entry as it shall be; it stays that of who saw it."""
        return Draft(
            EntryKind.CONTRADICTION,
            self.entry.content,
            self.details.model_dump(mode="json"),
            self.entry.id,
            author=self.entry.author,
        )

    def shown(self) -> BoardContradiction:
        """Return what callers see of it."""
        return BoardContradiction(
            id=self.entry.id,
            description=self.entry.content,
            author=self.entry.author,
            resolved=not self.open,
            **self.details.model_dump(exclude={"questions"}),
        )


def contradiction_with(log: EntryLog, id_: UUID, now: datetime) -> Contradiction:
    """Return the contradiction of this id; raises NotFound."""
    found = _contradiction_of(log.get(EntryKind.CONTRADICTION, id_, now=now))
    if found is None:
        raise NotFound(f"the contradiction {id_} names no findings")
    return found


def open_contradictions(log: EntryLog, now: datetime) -> list[Contradiction]:
    """Return the contradictions that nobody has resolved, the oldest first."""
    entries = log.of_kind(EntryKind.CONTRADICTION, now=now)
    found = (_contradiction_of(entry) for entry in sorted(entries, key=lambda e: e.created_at))
    return [each for each in found if each is not None and each.open]


def _contradiction_of(entry: Entry) -> Contradiction | None:
    """Return None for one that was posted as a bare text, which once was possible."""
    try:
        details = ContradictionDetails.model_validate_json(entry.encoded_details)
    except ValidationError:
        return None
    return Contradiction(entry, details)
