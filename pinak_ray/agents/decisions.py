"""What a command does to a log of entries, decided before anything is written."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from pinak_ray.records.commands import Answer, Command, View
from pinak_ray.records.state import Entry, EntryKind
from pinak_ray.records.write_keys import WriteKey

if TYPE_CHECKING:
    from pinak_ray.agents.entry_log import EntryLog

__all__ = ["Call", "Decision", "Draft", "Rule", "Showing"]

C = TypeVar("C", bound=Command)
V = TypeVar("V", bound=View)


class Call(NamedTuple):
    """Who commands what when; `id` is that of the operation, and of the first new entry."""

    id: UUID
    author: str
    now: datetime
    write_key: WriteKey | None = None


class Draft(NamedTuple):
    """An entry as it shall be. With the `id` of one that is there it takes its place.

    A new entry has the `id` of the operation unless it says another. Details are JSON.
    """

    kind: EntryKind
    content: str
    details: Mapping[str, Any]
    id: UUID | None = None
    key: str | None = None
    expires_at: datetime | None = None
    author: str | None = None
    """Whose entry it is; whoever commands it, if absent."""


class Decision(NamedTuple):
    """Entries to write, all or none: the receipt is that of the first one.

    With `held` the command found its entry there: the receipt is not new, and where nothing is
    written it names `held`. `answer` takes the receipt's place in the result.
    """

    drafts: tuple[Draft, ...] = ()
    held: Entry | None = None
    answer: Answer | None = None


# A rule is pure: it reads the log, raises a PinakError or decides, and writes nothing itself.
Rule = Callable[["EntryLog", C, Call], Decision]
Showing = Callable[["EntryLog", V, datetime], Answer]
