"""Many virtual agents and boards in one process: activate on first use, apply, commit, answer."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from pinak_ray.agents.activations import Activation, Activations
from pinak_ray.agents.applied import applied
from pinak_ray.agents.attempts import Attempts
from pinak_ray.agents.changes import Change
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.log.watchers import Watchers
from pinak_ray.agents.views import Views, fate
from pinak_ray.agents.working_memory import WorkingMemory
from pinak_ray.records.errors import (
    DatabaseUnavailable,
    Overloaded,
    PinakError,
    StaleEpoch,
    Unavailable,
    WrongShard,
)
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import (
    Execute,
    HostOperation,
    Note,
    Origin,
    Post,
    Watch,
    WatchPage,
)
from pinak_ray.records.state.owners import Entry, Owner, WorkingItem
from pinak_ray.records.topology import Placement

__all__ = ["Host", "Snapshot", "StateStore"]

# How much of `accepted` a crash may take, at most; the longer, the fewer rows are written: a
# hundred agents that each rewrite eight items cost 800 rows a second instead of 8,000.
_ACCEPTED_WAIT_S = 1.0
_ACCEPTED_AT_MOST = 8_192
# For as long the next use of an owner waits for what was written of it before. A gateway has
# 30 s (`serve.context.Deadlines.write_s`).
_SETTLES_WITHIN_S = 20.0

_NO_RECEIPTS: Mapping[UUID, Receipt] = {}
_WRITES = (Note, Post, Execute)


class Snapshot(NamedTuple):
    """What is stored of one owner."""

    items: list[WorkingItem]
    entries: list[Entry]


class StateStore(Protocol):
    """Where hosts load state from and commit changes to."""

    async def load(self, owners: Sequence[Owner]) -> Sequence[Snapshot]:
        """Return what was committed for each of these owners."""
        ...

    @property
    def room(self) -> int:
        """How many more changes may be submitted now."""
        ...

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        """Queue changes at once, in the order given; the future has the fates of refused ones.

        With `keep` they were acknowledged already, and are tried until they are stored.
        """
        ...

    async def receipts(self, origin: Origin) -> Mapping[UUID, Receipt]:
        """Return the committed receipts of this batch, by operation id."""
        ...

    async def drain(self) -> None:
        """Return when everything submitted before is committed or refused."""
        ...


@dataclass(slots=True)
class Host:
    """Applies operations to the agents and boards of its shards.

    Between looking an activation up and recording its change there is no await, so operations on
    one owner never interleave; the store commits in order of submission. A change that could not be
    committed takes its activation with it: the next use reads what the database holds.
    """

    store: StateStore
    placement: Placement
    owned: frozenset[int]
    """The shards that this host has taken."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    budget_bytes: int = 1 << 30
    applied: int = 0
    activated: int = 0
    activations: Activations = field(init=False)
    watchers: Watchers = field(default_factory=Watchers)
    views: Views = field(default_factory=Views)
    _accepted: list[Change] = field(default_factory=list)
    """Changes that are in memory only, for a moment."""
    _attempts: Attempts = field(default_factory=Attempts)
    _background: "set[asyncio.Task[Any]]" = field(default_factory=set)
    _loading: "dict[Owner, asyncio.Future[None]]" = field(default_factory=dict)
    _settling: "dict[Owner, asyncio.Future[None]]" = field(default_factory=dict)
    """Owners whose change was refused, until what was submitted behind it is committed too."""

    def __post_init__(self) -> None:
        self.activations = Activations(self.budget_bytes)

    async def apply(
        self,
        operations: Sequence[HostOperation],
        origin: Origin | None = None,
        *,
        retried: bool = False,
    ) -> list[Any]:
        """Apply operations in order; each gives its result, or the PinakError that refused it.

        A batch of the same `origin` that comes again is answered with the first receipts; what of
        it was not applied is applied now. `retried` says that it may have been at another host, or
        at this one before it was restarted.
        """
        if origin is None:
            return await self._apply(operations, None, _NO_RECEIPTS)
        before = self._attempts.newest(origin.lane)
        if before is not None and before.batch > origin.batch:
            late = Unavailable("this batch comes after its lane's next one; nobody waits for it")
            return [late] * len(operations)
        if before is not None and before.batch < origin.batch:
            before = None
        attempt = self._attempts.begin(origin)
        try:
            earlier = _NO_RECEIPTS
            if before is not None:
                await before.done
                earlier = before.receipts()
            if before is not None or retried:
                earlier = {**await self.store.receipts(origin), **earlier}
            results = await self._apply(operations, origin, earlier)
            attempt.operations, attempt.results = operations, results
            return results
        finally:
            attempt.done.set_result(None)

    async def watch(self, watch: Watch) -> WatchPage:
        """Return the next committed entries, waiting at most `wait_s` for them.

        Raises WrongShard, also when the owner moves meanwhile, and Overloaded.
        """
        ends_at = time.monotonic() + watch.wait_s
        after_seq = watch.after_seq
        while True:
            await self.activate([watch.owner])
            log = self._use(watch.owner, time.monotonic()).entries
            committed_seq = self.watchers.committed(watch.owner, after_seq, log.seq)
            page = log.watch(watch, after_seq, committed_seq, now=self.clock())
            after_seq = page.cursor
            left = ends_at - time.monotonic()
            if page.entries or left <= 0 or not await self.watchers.park(watch.owner, left):
                return page

    async def activate(self, owners: Iterable[Owner]) -> None:
        """Load what is not active yet; owners of other hosts' shards stay inactive."""
        while missing := [owner for owner in owners if self._is_to_load(owner)]:
            waits = {w for owner in missing if (w := self._settling.get(owner)) is not None}
            if not waits:
                waits = {w for owner in missing if (w := self._loading.get(owner)) is not None}
                if new := [owner for owner in missing if owner not in self._loading]:
                    load = asyncio.create_task(self._load(new))
                    self._loading |= dict.fromkeys(new, load)
                    waits.add(load)
            # Shared with others, so one that goes away must not cancel it.
            try:
                async with asyncio.timeout(_SETTLES_WITHIN_S):
                    await asyncio.shield(asyncio.gather(*waits))
            except TimeoutError:
                late = "what was written of it before is not stored yet: PostgreSQL takes no writes"
                raise DatabaseUnavailable(late) from None

    async def release(self, placement: Placement, keep: frozenset[int]) -> None:
        """Follow a new placement: stop serving all shards but `keep`, and commit what is theirs."""
        self.placement = placement
        self.owned &= keep
        self.activations.discard_where(self._is_not_owned)
        self.watchers.wake_where(self._is_not_owned)
        await self._quiet()

    def take(self, placement: Placement, shards: frozenset[int]) -> None:
        """Begin to serve these shards, whose epochs the store holds by now."""
        self.placement = placement
        self.owned |= shards

    def passivate(self, *, idle_s: float) -> int:
        """Forget what was idle that long and what is over the memory budget; returns how many."""
        return self.activations.passivate(idle_since=time.monotonic() - idle_s)

    async def aclose(self) -> None:
        """Wait until everything applied is committed, then forget all activations."""
        await self._quiet()
        self.activations.discard_where(lambda _: True)

    async def _quiet(self) -> None:
        self._submit_accepted()
        await self.store.drain()
        if self._background:
            await asyncio.wait(set(self._background))

    async def _apply(
        self,
        operations: Sequence[HostOperation],
        origin: Origin | None,
        earlier: Mapping[UUID, Receipt],
    ) -> list[Any]:
        await self.activate({operation.owner for operation in operations})
        if len(operations) > self.store.room - len(self._accepted):
            return [Overloaded("the host's commit queue is full", 0.5)] * len(operations)
        results: list[Any] = []
        shown: list[int] = []  # where the result is still to come
        changes: list[Change] = []
        awaited: list[int] = []  # for each change, the index of the operation that made it
        durable = False
        now, at = self.clock(), time.monotonic()
        for index, operation in enumerate(operations):
            try:
                activation = self._use(operation.owner, at)
                result, made = applied(operation, activation, self.views, now, origin, earlier)
            except PinakError as refusal:
                results.append(refusal)
                continue
            results.append(result)
            if made:
                self.activations.recount(activation)
                changes += made
                awaited += [index] * len(made)
                durable = durable or not _may_wait(operation)
            elif isinstance(result, asyncio.Task):
                shown.append(index)
        self.applied += len(operations)
        if durable:
            committed = self._submit(changes)
            for position, error in (await asyncio.shield(committed)).items():
                results[awaited[position]] = error
        elif changes:
            self._submit_later(changes)
        for index in shown:
            results[index] = await fate(results[index])
        return results

    def _use(self, owner: Owner, at: float) -> Activation:
        activation = self.activations.use(owner, at)
        if activation is None:
            version = self.placement.version
            raise WrongShard(f"{owner.name!r} lives on another host", version)
        return activation

    def _is_to_load(self, owner: Owner) -> bool:
        return owner not in self.activations and not self._is_not_owned(owner)

    def _is_not_owned(self, owner: Owner) -> bool:
        return self.placement.shard_of(owner) not in self.owned

    async def _load(self, owners: Sequence[Owner]) -> None:
        try:
            snapshots = await self.store.load(owners)
            at = time.monotonic()
            for owner, snapshot in zip(owners, snapshots, strict=True):
                if self.placement.shard_of(owner) in self.owned:
                    working = WorkingMemory.of(snapshot.items)
                    activation = Activation(working, EntryLog.of(snapshot.entries))
                    self.activations.put(owner, activation, at)
            self.activated += len(owners)
        finally:
            for owner in owners:
                self._loading.pop(owner, None)
        if self.activations.size_bytes > self.budget_bytes:
            self.activations.passivate(spare=len(owners))

    def _submit_later(self, changes: Sequence[Change]) -> None:
        """Hold changes that nobody waits for: of many to one key only the last is stored."""
        self._hold(changes)
        if not self._accepted:
            asyncio.get_running_loop().call_later(_ACCEPTED_WAIT_S, self._submit_accepted)
        self._accepted += changes
        if len(self._accepted) >= _ACCEPTED_AT_MOST:
            self._submit_accepted()

    def _submit_accepted(self) -> None:
        if self._accepted:
            changes, self._accepted = self._accepted, []
            self._run(self._settle(changes, self._put(changes, keep=True)))

    def _run(self, work: "Coroutine[Any, Any, Any]") -> None:
        task = asyncio.create_task(work)
        self._background.add(task)  # the loop keeps only a weak reference
        task.add_done_callback(self._background.discard)

    def _submit(self, changes: Sequence[Change]) -> "asyncio.Task[dict[int, PinakError]]":
        """Queue changes now, before anything else can run; the task gives the refusals."""
        self._submit_accepted()  # what was accepted before is stored before
        self._hold(changes)
        return asyncio.create_task(self._settle(changes, self._put(changes)))

    def _hold(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.activations.hold(change.owner)
        self.watchers.hide(changes)

    def _put(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        try:
            return self.store.submit(changes, keep=keep)
        except PinakError as error:
            refused: asyncio.Future[Mapping[int, Any]] = asyncio.get_running_loop().create_future()
            refused.set_result(dict.fromkeys(range(len(changes)), error))
            return refused

    async def _settle(
        self, changes: Sequence[Change], submitted: "asyncio.Future[Mapping[int, Any]]"
    ) -> dict[int, PinakError]:
        """Return the refusals of submitted changes, once the others are committed."""
        try:
            fates = await submitted
        except PinakError as error:
            fates = dict.fromkeys(range(len(changes)), error)
        for change in changes:
            self.activations.settle(change.owner)
        self.watchers.settle(changes)
        failed = {i: fate for i, fate in fates.items() if isinstance(fate, PinakError)}
        if failed:
            stale = (changes[i].owner for i, fate in failed.items() if isinstance(fate, StaleEpoch))
            # Taken by another host: whoever asks is sent there, until this one is given it again.
            self.owned -= {self.placement.shard_of(owner) for owner in stale}
            self.watchers.wake_where(self._is_not_owned)
            self._forget({changes[index].owner for index in failed})
        return failed

    def _forget(self, owners: set[Owner]) -> None:
        """Let go of owners whose change was refused.

        Later changes of theirs may still be on their way; only after them does the database hold
        what a reload must see. Who was refused hears it before.
        """
        settled = asyncio.get_running_loop().create_future()
        for owner in owners:
            self.activations.discard(owner)
            self._settling[owner] = settled
        self._submit_accepted()
        self._run(self._settled(owners, settled))

    async def _settled(self, owners: set[Owner], settled: "asyncio.Future[None]") -> None:
        try:
            await self.store.drain()
        finally:
            for owner in owners:
                if self._settling.get(owner) is settled:
                    del self._settling[owner]
            settled.set_result(None)


def _may_wait(operation: HostOperation) -> bool:
    """Return whether a change may be committed after its answer.

    An answer that is more than a receipt, as a claim's, is a promise to others: it never may.
    """
    if isinstance(operation, Execute) and operation.command.answer is not Receipt:
        return False
    return isinstance(operation, _WRITES) and operation.ack is Ack.ACCEPTED
