"""A client's lanes: natural batching on the way to one Writer, one host, one Indexer."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from pinak_ray.client.over_ray.actor_calls import ActorCalls, passes
from pinak_ray.concurrency.backoff import backoff
from pinak_ray.concurrency.batching import Batcher
from pinak_ray.records.errors import PinakError, Unavailable
from pinak_ray.records.memory.links import LinkChange
from pinak_ray.records.operations import HostOperation, Note, Origin, Post
from pinak_ray.records.state.owners import Owner
from pinak_ray.records.state.wire import decode_result, encode_operation
from pinak_ray.records.topology import Placement
from pinak_ray.store.memories.memories import Duplicate, EncodedMemory, size_of

__all__ = ["HostLane", "HostLanes", "forget_idle", "indexer_lane", "link_lane", "writer_lane"]

# Ray puts arguments over 100 KB into the object store, which costs a batch about a millisecond.
# Rows have about 400 bytes, so 192 of them stay under it.
_WRITE_BATCH = 192
_HOST_BATCH = 256
# Waiting costs an Indexer nothing, so that late keys need not hold up the others.
_WAITS_IN_FLIGHT = 64
_KNOWN_OWNERS = 10_000
_KNOWN_LANES = 1_000
_FIRST_BACKOFF_S = 0.02
# A killed process is back after two seconds: a longer wait would be most of what a caller sees.
_LAST_BACKOFF_S = 0.3


def writer_lane(calls: ActorCalls, name: str, *, durable: bool) -> Batcher[EncodedMemory]:
    """Return a lane to this Writer; without `durable` the receipt comes once it holds the row.

    Its results are None of what is new, or the Duplicate that was met.
    """
    method = "write" if durable else "accept"

    async def carry(batch: Sequence[EncodedMemory]) -> Sequence[Any]:
        rows = [memory.row for memory in batch]
        vectors = {i: m.vector_row for i, m in enumerate(batch) if m.vector_row is not None} or None
        fates = await calls.retried(
            name, lambda actor: getattr(actor, method).remote(rows, vectors)
        )
        if fates is None:
            return [None] * len(batch)
        return [fates.get(index) for index in range(len(batch))]

    return Batcher(carry, max_batch=_WRITE_BATCH, size_of=size_of)


def forget_idle(lanes: "dict[Any, Batcher[Any]]") -> None:
    """Make room where a process writes for very many namespaces."""
    if len(lanes) >= _KNOWN_LANES:
        for name in [name for name, lane in lanes.items() if lane.idle]:
            del lanes[name]


def link_lane(calls: ActorCalls, name: str) -> Batcher[LinkChange]:
    """Return a lane to this Writer for changes of links; its results say whether each was new."""

    async def carry(batch: Sequence[LinkChange]) -> Sequence[Any]:
        changes = list(batch)
        fates = await calls.retried(name, lambda actor: actor.change_links.remote(changes))
        return [_news((fates or {}).get(index)) for index in range(len(batch))]

    return Batcher(carry, max_batch=_WRITE_BATCH)


def _bytes_of_operation(operation: HostOperation) -> int:
    match operation:
        case Note():
            return len(operation.encoded)
        case Post():
            return len(operation.content) + len(operation.encoded_details)
        case _:
            return 0


def indexer_lane(calls: ActorCalls, name: str) -> Batcher[tuple[int, UUID]]:
    """Return a lane to this Indexer; a key's future ends once all of its batch are searchable.

    Or with why it is not: then nothing is asked again, since waiting was all that could be done.
    """

    async def carry(keys: Sequence[tuple[int, UUID]]) -> Sequence[Any]:
        fates = await calls.retried(name, lambda actor: actor.searchable.remote(list(keys)))
        return [fates.get(index) for index in range(len(keys))]

    return Batcher(carry, max_batch=_WRITE_BATCH, max_in_flight=_WAITS_IN_FLIGHT)


def _news(fate: Any) -> Any:
    if fate is None:
        return True
    return False if isinstance(fate, Duplicate) else fate


@dataclass(slots=True, eq=False)
class HostLane:
    """One client's way to one host: one batch in flight, so operations arrive as they were issued.

    What is refused because its owner moved, or lost because its host died, is sent again under the
    same origin before anything behind it leaves.
    """

    calls: ActorCalls
    host: str
    placement: Placement
    """Under which all owners of this lane live on this host."""
    after: Awaitable[Any] | None = None
    """What must have ended before the first batch leaves."""
    id: UUID = field(default_factory=uuid4)
    batches: int = 0
    batcher: Batcher[HostOperation] = field(init=False)

    def __post_init__(self) -> None:
        self.batcher = Batcher(self._carry, max_batch=_HOST_BATCH, size_of=_bytes_of_operation)

    async def _carry(self, operations: Sequence[HostOperation]) -> Sequence[Any]:
        if self.after is not None:
            await self.after
            self.after = None
        self.batches += 1
        origin = Origin(self.id, self.batches)
        clock = asyncio.get_running_loop().time
        started, pauses = clock(), backoff(_FIRST_BACKOFF_S, _LAST_BACKOFF_S, spread=0.5)
        results: list[Any] = [None] * len(operations)
        pending: Sequence[int] = range(len(operations))
        retried = False
        while True:
            await self._try(operations, pending, origin, results, retried=retried)
            waited = clock() - started
            pending = [i for i in pending if passes(results[i], waited, self.calls.patience_s)]
            if not pending:
                return results
            retried = True
            await asyncio.sleep(next(pauses))
            if any(isinstance(results[i], Unavailable) for i in pending):
                await self.calls.refresh()

    async def _try(
        self,
        operations: Sequence[HostOperation],
        pending: Sequence[int],
        origin: Origin,
        results: list[Any],
        *,
        retried: bool,
    ) -> None:
        """Send each pending operation to where its owner lives now, and note what came back."""
        placement = self.calls.topology.placement
        by_host: dict[str, Sequence[int]]
        if placement is self.placement:
            by_host = {self.host: pending}
        else:
            moved: dict[str, list[int]] = defaultdict(list)
            for index in pending:
                moved[placement.host_of(operations[index].owner)].append(index)
            by_host = dict(moved)

        async def send(host: str, indexes: Sequence[int]) -> None:
            sent = [encode_operation(operations[index]) for index in indexes]
            try:
                answers = await self.calls.once(
                    host, lambda actor: actor.apply.remote(sent, origin, retried)
                )
            except PinakError as error:
                answers = [error] * len(sent)
            for index, answer in zip(indexes, answers, strict=True):
                results[index] = decode_result(operations[index], answer)

        await asyncio.gather(*(send(host, indexes) for host, indexes in by_host.items()))


@dataclass(slots=True, eq=False)
class HostLanes:
    """The lanes to all hosts under one placement.

    Under a new placement new lanes begin, and wait until the old ones are empty: an operation must
    not overtake one of the same owner that is still on its way to where the owner was.
    """

    calls: ActorCalls
    placement: Placement
    before: "HostLanes | None" = None
    _lanes: dict[str, HostLane] = field(default_factory=dict)
    _by_owner: dict[Owner, HostLane] = field(default_factory=dict)
    """Hashing an owner to its shard costs more than all else of a put."""

    def put(self, operation: HostOperation) -> "asyncio.Future[Any]":
        """Queue one operation on its owner's lane."""
        lane = self._by_owner.get(operation.owner)
        if lane is None:
            lane = self._lane_of(operation.owner)
        return lane.batcher.put(operation)

    def _lane_of(self, owner: Owner) -> HostLane:
        host = self.placement.host_of(owner)
        lane = self._lanes.get(host)
        if lane is None:
            after = None if self.before is None else self.before.drained()
            lane = self._lanes[host] = HostLane(self.calls, host, self.placement, after)
        if len(self._by_owner) >= _KNOWN_OWNERS:
            self._by_owner.clear()
        self._by_owner[owner] = lane
        return lane

    @property
    def depth(self) -> int:
        """How many operations wait for their batch to leave."""
        earlier = 0 if self.before is None else self.before.depth
        return earlier + sum(lane.batcher.depth for lane in self._lanes.values())

    async def drained(self) -> None:
        """Return once nothing waits or is on its way."""
        if self.before is not None:
            await self.before.drained()
            self.before = None
        for lane in self._lanes.values():
            await lane.batcher.drained()
