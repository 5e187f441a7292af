"""Who waits for an owner's next entry, and how far an owner's entries are committed."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pinak_ray.agents.changes import Change, PutEntry
from pinak_ray.concurrency.shares import Shares
from pinak_ray.records.errors import Overloaded
from pinak_ray.records.state.owners import Owner

__all__ = ["MAX_WATCHERS", "Watchers"]

# Half of the calls that a host has open at once, so that watchers can never keep a write out. One
# namespace alone may have half of these.
MAX_WATCHERS = 2_000


@dataclass(slots=True)
class Watchers:
    """Parked waits by owner. A watcher pulls: nothing is queued for it, and none outlives its wait.

    Entries that are applied but not committed are not shown: they could still be refused.
    """

    places: Shares = field(default_factory=lambda: Shares(MAX_WATCHERS))
    """By namespace: the watchers of one keep those of no other out."""
    _waits: "dict[Owner, set[asyncio.Future[None]]]" = field(default_factory=dict)
    _uncommitted: dict[Owner, dict[int, int]] = field(default_factory=dict)
    """The `seq` of each entry on its way to the database, and of the one it replaces (or 0)."""

    @property
    def parked(self) -> int:
        """How many wait now."""
        return self.places.taken

    def hide(self, changes: Iterable[Change]) -> None:
        """Hide these entries until they are settled."""
        for change in changes:
            if isinstance(change, PutEntry):
                held = self._uncommitted.setdefault(change.owner, {})
                held.setdefault(change.entry.seq, change.replaced_seq)

    def settle(self, changes: Iterable[Change]) -> None:
        """Note that these are committed or refused, and wake whoever waits for them."""
        for change in changes:
            if isinstance(change, PutEntry):
                held = self._uncommitted.get(change.owner, {})
                held.pop(change.entry.seq, None)
                if not held:
                    self._uncommitted.pop(change.owner, None)
                self._wake(change.owner)

    def committed(self, owner: Owner, after_seq: int, newest_seq: int) -> int:
        """Return up to which `seq` a watcher at `after_seq` may go on.

        Not past an entry whose replacement is not committed: were that refused, it would stand
        again, behind the watcher. Whoever has seen it already need not wait.
        """
        held = self._uncommitted.get(owner, {})
        replaced = (seq for seq in held.values() if seq > after_seq)
        first_hidden = min((newest_seq + 1, *held, *replaced))
        return max(after_seq, first_hidden - 1)

    async def park(self, owner: Owner, seconds: float) -> bool:
        """Return True once something of this owner has changed, False when the time is up.

        Raises Overloaded when too many wait already, or too many of this namespace.
        """
        if not self.places.take(owner.namespace_id):
            raise Overloaded(f"{self.parked} watchers wait on this host, its limit", 1.0)
        wait = asyncio.get_running_loop().create_future()
        waits = self._waits.setdefault(owner, set())
        waits.add(wait)
        try:
            async with asyncio.timeout(seconds):
                await wait
        except TimeoutError:
            return False
        finally:
            self.places.give(owner.namespace_id)
            waits.discard(wait)
            if not waits and self._waits.get(owner) is waits:
                del self._waits[owner]
        return True

    def wake_where(self, leaves: Callable[[Owner], bool]) -> None:
        """Wake the waits for all owners that leave: they are served elsewhere."""
        for owner in [owner for owner in self._waits if leaves(owner)]:
            self._wake(owner)

    def _wake(self, owner: Owner) -> None:
        for wait in self._waits.pop(owner, ()):
            if not wait.done():
                wait.set_result(None)
