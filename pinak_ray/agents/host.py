"""Many virtual agents and boards in one process: activate on first use, apply, commit, answer."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from pinak_ray.agents.changes import Change, PutEntry, PutItem
from pinak_ray.agents.entry_log import EntryLog
from pinak_ray.agents.working_memory import WorkingMemory
from pinak_ray.records.errors import PinakError, StaleEpoch
from pinak_ray.records.memories import Ack, Receipt
from pinak_ray.records.operations import (
    HostOperation,
    Note,
    Post,
    Read,
    ReadContext,
    Recollect,
)
from pinak_ray.records.state import Entry, Owner, WorkingItem, shard_of

__all__ = ["Host", "Snapshot", "StateStore"]


class Snapshot(NamedTuple):
    """What is stored of one owner."""

    items: Sequence[WorkingItem]
    entries: Sequence[Entry]


class StateStore(Protocol):
    """Where hosts load state from and commit changes to."""

    async def load(self, owner: Owner) -> Snapshot:
        """Return what was committed for this owner."""
        ...

    async def submit(self, changes: Sequence[Change]) -> Mapping[int, Any]:
        """Commit changes in the order given; return the fates of those that were refused."""
        ...

    async def drain(self) -> None:
        """Return when everything submitted before is committed or refused."""
        ...


@dataclass(slots=True)
class _Activation:
    working: WorkingMemory
    entries: EntryLog


@dataclass(slots=True)
class Host:
    """Applies operations to the agents and boards of its shards.

    Between looking an activation up and recording its change there is no await, so operations on
    one owner never interleave; the store commits in order of submission. A change that could not be
    committed takes its activation with it: the next use reads what the database holds.
    """

    store: StateStore
    owned_shards: frozenset[int]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    applied: int = 0
    _active: dict[Owner, _Activation] = field(default_factory=dict)
    _background: "set[asyncio.Task[Any]]" = field(default_factory=set)
    _loading: "dict[Owner, asyncio.Task[_Activation]]" = field(default_factory=dict)

    @property
    def active(self) -> int:
        """How many owners are held in memory."""
        return len(self._active)

    async def apply(self, operations: Sequence[HostOperation]) -> list[Any]:
        """Apply operations in order; each gives its result, or the PinakError that refused it."""
        await self._activate({operation.owner for operation in operations})
        results: list[Any] = []
        changes: list[Change] = []
        awaited: list[int] = []  # for each change, the index of the operation that made it
        now = self.clock()
        for index, operation in enumerate(operations):
            try:
                result, change = self._apply_one(operation, now)
            except PinakError as refusal:
                results.append(refusal)
                continue
            results.append(result)
            if change is not None:
                changes.append(change)
                awaited.append(index)
        self.applied += len(operations)
        if changes:
            commit = self._commit(changes)
            if all(operations[index].ack is Ack.ACCEPTED for index in awaited):  # type: ignore[union-attr]
                self._keep(asyncio.create_task(commit))
            else:
                for position, error in (await commit).items():
                    results[awaited[position]] = error
        return results

    async def aclose(self) -> None:
        """Wait until everything applied is committed, then forget all activations."""
        await self.store.drain()
        self._active.clear()

    def _apply_one(self, operation: HostOperation, now: datetime) -> tuple[Any, Change | None]:
        activation = self._active.get(operation.owner)
        if activation is None:
            return StaleEpoch(f"this host does not own {operation.owner.name!r}"), None
        match operation:
            case Note():
                item, new = activation.working.note(
                    operation.key,
                    operation.encoded,
                    operation.id,
                    now=now,
                    ttl_s=operation.ttl_s,
                    expected_version=operation.expected_version,
                )
                receipt = Receipt(operation.id, operation.ack, new, item.version)
                return receipt, PutItem(operation.owner, item)
            case Recollect():
                return activation.working.recollect(operation.key, now=now), None
            case ReadContext():
                return activation.working.context(operation.budget_tokens, now=now), None
            case Post():
                entry, new = activation.entries.post(operation, now=now)
                receipt = Receipt(entry.id, operation.ack, new, entry.version)
                return receipt, PutEntry(operation.owner, entry)
            case Read():
                read = activation.entries.read(
                    operation.after_seq, operation.kinds, operation.limit, now=now
                )
                return read, None

    async def _activate(self, owners: Iterable[Owner]) -> None:
        """Load what is not active yet; owners of other hosts' shards stay inactive."""
        missing = [
            owner
            for owner in owners
            if owner not in self._active and shard_of(owner) in self.owned_shards
        ]
        if missing:
            await asyncio.gather(*(self._load_once(owner) for owner in missing))

    async def _load_once(self, owner: Owner) -> None:
        task = self._loading.get(owner)
        if task is None:
            task = asyncio.create_task(self._load(owner))
            self._loading[owner] = task
            task.add_done_callback(lambda _: self._loading.pop(owner, None))
        await asyncio.shield(task)

    async def _load(self, owner: Owner) -> _Activation:
        snapshot = await self.store.load(owner)
        activation = _Activation(WorkingMemory.of(snapshot.items), EntryLog.of(snapshot.entries))
        self._active[owner] = activation
        return activation

    async def _commit(self, changes: Sequence[Change]) -> dict[int, PinakError]:
        try:
            fates = await self.store.submit(changes)
        except PinakError as error:
            fates = dict.fromkeys(range(len(changes)), error)
        failed = {i: fate for i, fate in fates.items() if isinstance(fate, PinakError)}
        if failed:
            # Later changes of the same owners may still be on their way; only after them does the
            # database hold what a reload must see.
            owners = {changes[index].owner for index in failed}
            for owner in owners:
                self._active.pop(owner, None)
            await self.store.drain()
            for owner in owners:
                self._active.pop(owner, None)
        return failed

    def _keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a background commit until it is done: the loop keeps only a weak reference."""
        self._background.add(task)
        task.add_done_callback(self._background.discard)
