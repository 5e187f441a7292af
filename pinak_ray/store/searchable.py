"""Who waits until memories are searchable, and when to tell them."""

import asyncio
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.indexing import Key, not_searchable

__all__ = ["SearchableWaits"]


@dataclass(slots=True, eq=False)
class _Wait:
    missing: AbstractSet[Key]
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def found(self, keys: AbstractSet[Key]) -> None:
        self.missing -= keys
        if not self.missing:
            self.over.set()


@dataclass(slots=True)
class SearchableWaits:
    """Waits end by word of mouth: whoever indexes says which keys it did.

    The database is asked when a wait begins, for what was searchable before, and by `recheck`, for
    what other processes indexed: once for all waits, since hundreds of agents wait at a time.
    """

    database: Database
    model_id: int
    _waits: set[_Wait] = field(default_factory=set)

    async def until_searchable(self, keys: Iterable[Key], *, timeout_s: float) -> None:
        """Return once each of these memories has its vector; raises Unavailable after a while."""
        wait = _Wait(frozenset(keys))
        self._waits.add(wait)  # before asking: what is indexed meanwhile counts
        try:
            async with asyncio.timeout(timeout_s):
                await self._ask(wait.missing)
                await wait.over.wait()
        except TimeoutError:
            raise Unavailable(
                f"durable, but not searchable after {timeout_s:.0f} s; the indexer is behind"
            ) from None
        finally:
            self._waits.discard(wait)

    def indexed(self, keys: AbstractSet[Key]) -> None:
        """End the waits for these keys: they are committed."""
        for wait in self._waits:
            wait.found(keys)

    async def recheck(self) -> None:
        """Ask the database about every key that somebody waits for."""
        missing = frozenset[Key]().union(*(wait.missing for wait in self._waits))
        if missing:
            await self._ask(missing)

    async def _ask(self, keys: AbstractSet[Key]) -> None:
        self.indexed(keys - await not_searchable(self.database, keys, model_id=self.model_id))
