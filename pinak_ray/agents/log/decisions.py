"""What a command does to a log of entries, decided before anything is written."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pinak_ray.agents.log.drafts import Call, Draft
from pinak_ray.records.commands import Answer, Command, View
from pinak_ray.records.state.owners import Entry

if TYPE_CHECKING:
    from pinak_ray.agents.log.entry_log import EntryLog

__all__ = ["Decision", "Rule", "Showing"]

C = TypeVar("C", bound=Command)
V = TypeVar("V", bound=View)


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
