"""State of agents and boards: what PostgreSQL keeps for a host, in dictionaries."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.agents.host import Snapshot
from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.operations import Origin
from pinak_ray.records.state.owners import Entry, Owner, WorkingItem

__all__ = ["LocalState"]


@dataclass(slots=True)
class LocalState:
    """A StateStore that never refuses a change: nobody else can take its shards."""

    _items: dict[Owner, dict[str, WorkingItem]] = field(default_factory=lambda: defaultdict(dict))
    _entries: dict[Owner, dict[UUID, Entry]] = field(default_factory=lambda: defaultdict(dict))

    async def load(self, owners: Sequence[Owner]) -> Sequence[Snapshot]:
        """Return what was committed for each of these owners."""
        return [
            Snapshot(list(self._items[owner].values()), list(self._entries[owner].values()))
            for owner in owners
        ]

    @property
    def room(self) -> int:
        """There is no queue that could be full."""
        return sys.maxsize

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        """Commit changes at once, in the order given; none is refused."""
        for change in changes:
            match change:
                case PutItem(owner, item):
                    self._items[owner][item.key] = item
                case PutEntry(owner, entry):
                    self._entries[owner][entry.id] = entry
        committed = asyncio.get_running_loop().create_future()
        committed.set_result({})
        return committed

    async def receipts(self, origin: Origin) -> Mapping[UUID, Receipt]:
        """Return nothing: no batch comes twice without a wire that loses answers."""
        return {}

    async def drain(self) -> None:
        """Do nothing: what was submitted is committed."""
