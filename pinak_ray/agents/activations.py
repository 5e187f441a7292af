"""What a host holds in memory: activated owners, least recently used first, bounded in bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.agents.working_memory import WorkingMemory
from pinak_ray.records.state.owners import Owner

__all__ = ["Activation", "Activations"]

# Measured with tracemalloc: the objects of an owner that holds nothing yet.
_EMPTY_BYTES = 1_000


@dataclass(slots=True, eq=False)
class Activation:
    """One owner's state, in memory."""

    working: WorkingMemory
    entries: EntryLog
    used_at: float = 0.0
    counted_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        return _EMPTY_BYTES + self.working.size_bytes + self.entries.size_bytes


@dataclass(slots=True)
class Activations:
    """A dictionary in order of last use, which knows its size."""

    budget_bytes: int
    size_bytes: int = 0
    passivated: int = 0
    _held: dict[Owner, Activation] = field(default_factory=dict)
    _uncommitted: dict[Owner, int] = field(default_factory=dict)
    """Changes on their way to the database; until they are there, their owner must stay."""

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, owner: Owner) -> bool:
        return owner in self._held

    def use(self, owner: Owner, at: float) -> Activation | None:
        """Return the owner's activation as the one used last."""
        activation = self._held.pop(owner, None)
        if activation is not None:
            activation.used_at = at
            self._held[owner] = activation
        return activation

    def put(self, owner: Owner, activation: Activation, at: float) -> None:
        """Hold a new activation as the one used last."""
        activation.used_at = at
        self._held[owner] = activation
        self.recount(activation)

    def recount(self, activation: Activation) -> None:
        """Take into account what an operation added or removed."""
        size = activation.size_bytes
        self.size_bytes += size - activation.counted_bytes
        activation.counted_bytes = size

    def hold(self, owner: Owner) -> None:
        """Keep this owner until one more change of its is committed."""
        self._uncommitted[owner] = self._uncommitted.get(owner, 0) + 1

    def settle(self, owner: Owner) -> None:
        """Note that a change for which the owner was held is committed or refused."""
        left = self._uncommitted[owner] - 1
        if left:
            self._uncommitted[owner] = left
        else:
            del self._uncommitted[owner]

    def discard(self, owner: Owner) -> None:
        """Forget one activation; what is committed of it is loaded again on its next use."""
        activation = self._held.pop(owner, None)
        if activation is not None:
            self.size_bytes -= activation.counted_bytes

    def discard_where(self, leaves: Callable[[Owner], bool]) -> None:
        """Forget all activations of the owners that leave."""
        for owner in [owner for owner in self._held if leaves(owner)]:
            self.discard(owner)

    def passivate(self, *, idle_since: float = 0.0, spare: int = 0) -> int:
        """Forget what was not used since, and the least recently used beyond the budget.

        Whoever has uncommitted changes stays, and so do the `spare` used last. Returns how many
        went.
        """
        gone: list[Owner] = []
        excess = self.size_bytes - self.budget_bytes
        for owner, activation in islice(self._held.items(), max(0, len(self._held) - spare)):
            if activation.used_at > idle_since and excess <= 0:
                break
            if owner not in self._uncommitted:
                gone.append(owner)
                excess -= activation.counted_bytes
        for owner in gone:
            self.discard(owner)
        self.passivated += len(gone)
        return len(gone)
