"""Which batches were tried here: what makes a retry answer as the first try did."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pinak_ray.records.memory.memories import Receipt
from pinak_ray.records.operations import Execute, HostOperation, Note, Origin, Post

__all__ = ["Attempt", "Attempts"]

# A lane has one batch in flight, so this is how many clients a host remembers in memory; of all
# others the database knows the receipts.
_LANES = 4_096


@dataclass(slots=True, eq=False)
class Attempt:
    """One batch of one lane."""

    batch: int
    done: "asyncio.Future[None]"
    operations: Sequence[HostOperation] = ()
    results: Sequence[Any] = ()

    def receipts(self) -> dict[UUID, Receipt]:
        """Return what was written, by operation id; empty until `done`."""
        return {
            operation.id: result
            for operation, result in zip(self.operations, self.results, strict=True)
            if isinstance(operation, Note | Post | Execute) and isinstance(result, Receipt)
        }


@dataclass(slots=True)
class Attempts:
    """The newest attempt of each lane, least recently used first."""

    _by_lane: dict[UUID, Attempt] = field(default_factory=dict)

    def newest(self, lane: UUID) -> Attempt | None:
        """Return the lane's newest attempt, if it is remembered."""
        return self._by_lane.get(lane)

    def begin(self, origin: Origin) -> Attempt:
        """Remember that this batch is being tried, instead of the lane's batch before."""
        attempt = Attempt(origin.batch, asyncio.get_running_loop().create_future())
        self._by_lane.pop(origin.lane, None)
        self._by_lane[origin.lane] = attempt
        if len(self._by_lane) > _LANES:
            oldest = next(iter(self._by_lane))
            if self._by_lane[oldest].done.done():
                del self._by_lane[oldest]
        return attempt
