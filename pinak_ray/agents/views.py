"""Views of boards and scratchpads; those of large ones are made beside the host's loop."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.rules import show
from pinak_ray.concurrency.admission import Admission
from pinak_ray.records.commands import Answer
from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Query

__all__ = ["Views", "fate"]

# A view walks the whole log: some 15 us an entry, so that 10,000 of them stop everybody on the
# host for 150 ms. So few take less time than a thread costs.
_AT_ONCE = 200


@dataclass(slots=True)
class Views:
    """One at a time, as a second thread would take the interpreter from the loop as well.

    Owners' namespaces take turns.
    """

    turns: Admission = field(
        default_factory=lambda: Admission("a view of a large board", at_once=1)
    )

    def show(
        self, query: Query[Answer], log: EntryLog, now: datetime
    ) -> "Answer | asyncio.Task[Answer]":
        """Return the view of the log as it is now, or what it will be; raises what the view does.

        The task raises Overloaded too, when too many views wait.
        """
        if len(log.entries) <= _AT_ONCE:
            return show(log, query.view, now)
        return asyncio.create_task(self._beside(query, log.snapshot(), now))

    async def _beside(self, query: Query[Answer], log: EntryLog, now: datetime) -> Answer:
        async with self.turns.turn(query.owner.namespace_id):
            return await asyncio.to_thread(show, log, query.view, now)


async def fate(view: "asyncio.Task[Answer]") -> Answer | PinakError:
    """Return the view, or the error that refused it."""
    try:
        return await view
    except PinakError as refusal:
        return refusal
