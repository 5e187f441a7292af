"""What a state machine changed: a closed set that the store writes as one batch."""

from typing import NamedTuple

from pinak_ray.records.operations import Origin
from pinak_ray.records.state.owners import Entry, Owner, WorkingItem

__all__ = ["Change", "PutEntry", "PutItem"]


class PutItem(NamedTuple):
    """A working item was written; the newest version of a key wins."""

    owner: Owner
    item: WorkingItem
    origin: Origin | None = None


class PutEntry(NamedTuple):
    """An entry of a board or scratchpad was added, or a public one replaced."""

    owner: Owner
    entry: Entry
    origin: Origin | None = None
    replaced_seq: int = 0
    """The `seq` of the version that this one replaces; 0 for none."""


Change = PutItem | PutEntry
