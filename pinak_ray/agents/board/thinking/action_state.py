"""An action as a value: waiting, taken under a lease, or finished."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.actions import BoardAction
from pinak_ray.records.state.owners import Entry, EntryKind

__all__ = ["Action", "ActionDetails", "action_of", "asked_action", "open_actions", "withdrawn"]

# A finished action says for a day how it ended, then it makes room.
_KEPT = timedelta(days=1)


class ActionDetails(BaseModel):
    """What an action's entry has as details; its content is its type."""

    model_config = ConfigDict(frozen=True)

    priority: int
    place: int
    """When it came, as the board counts its changes: of one priority the lowest is the first."""
    details: dict[str, Any]
    taken_by: str | None = None
    leased_until: datetime | None = None
    outcome: str | None = None


class Action(NamedTuple):
    """An action's entry, and its details as they are or shall be."""

    entry: Entry
    details: ActionDetails

    @property
    def rank(self) -> tuple[int, int]:
        """What the queue is sorted by."""
        return self.details.priority, self.details.place

    def leased(self, now: datetime) -> bool:
        """Tell whether its taker's lease still runs."""
        until = self.details.leased_until
        return until is not None and until > now

    def having(self, **changes: Any) -> "Action":
        """Return it with these details."""
        return self._replace(details=self.details.model_copy(update=changes))

    def draft(self, now: datetime) -> Draft:
        """Return its entry as it shall be."""
        return Draft(
            EntryKind.ACTION,
            self.entry.content,
            self.details.model_dump(mode="json"),
            self.entry.id,
            expires_at=None if self.details.outcome is None else now + _KEPT,
            author=self.entry.author,
        )

    def shown(self) -> BoardAction:
        """Return what callers see of it."""
        return BoardAction(
            id=self.entry.id,
            type=self.entry.content,
            author=self.entry.author,
            **self.details.model_dump(exclude={"place", "outcome"}),
        )


def action_of(entry: Entry) -> Action:
    """Return the action of an entry."""
    return Action(entry, ActionDetails.model_validate_json(entry.encoded_details))


def open_actions(log: EntryLog, now: datetime) -> list[Action]:
    """Return the unfinished actions, the most urgent first."""
    # Only finished ones expire, so that these need not be decoded.
    entries = (e for e in log.of_kind(EntryKind.ACTION, now=now) if e.expires_at is None)
    return sorted(map(action_of, entries), key=lambda action: action.rank)


def asked_action(
    log: EntryLog,
    call: Call,
    place: int,
    type_: str,
    priority: int,
    details: Mapping[str, Any],
    id_: UUID | None = None,
) -> Draft:
    """Return a new action, the one at `place` of those that a command asks for."""
    state = ActionDetails(priority=priority, place=log.seq + 1 + place, details=dict(details))
    return Draft(EntryKind.ACTION, type_, state.model_dump(mode="json"), id_)


def withdrawn(log: EntryLog, about: str, id_: UUID, outcome: str, call: Call) -> list[Draft]:
    """Return the actions that nobody needs to take any more, finished: those about `id_`."""
    return [
        action.having(outcome=outcome, leased_until=None).draft(call.now)
        for action in open_actions(log, call.now)
        if action.details.details.get(about) == str(id_)
    ]
