"""Who waits until memories are searchable, and when to tell them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pinak_ray.records.errors import NotSearchable, PinakError, Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.indexing.indexing import Key, not_searchable

__all__ = ["SearchableWaits"]


_NOTHING: Final[Mapping[Key, str]] = MappingProxyType({})
# While the embedder is known to be away, waiting for it as long as for a backlog helps nobody.
_IN_TROUBLE_S = 5.0


@dataclass(slots=True, eq=False)
class _Wait:
    missing: AbstractSet[Key]
    refused: dict[Key, str] = field(default_factory=dict)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def found(self, keys: AbstractSet[Key], refused: Mapping[Key, str]) -> None:
        self.refused |= {key: refused[key] for key in self.missing & refused.keys()}
        self.missing -= keys | refused.keys()
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
    trouble: Callable[[], str | None] = lambda: None
    """Why nothing is embedded now, if something keeps it."""
    _waits: set[_Wait] = field(default_factory=set)

    async def until_searchable(
        self, keys: Iterable[Key], *, timeout_s: float
    ) -> Mapping[Key, PinakError]:
        """Return once each memory has its vector; those that get none, or not in time, with why.

        A text that was refused is NotSearchable, all else Unavailable.
        """
        wait = _Wait(frozenset(keys))
        if self.trouble() is not None:
            timeout_s = min(timeout_s, _IN_TROUBLE_S)
        self._waits.add(wait)  # before asking: what is indexed meanwhile counts
        try:
            async with asyncio.timeout(timeout_s):
                await self._ask(wait.missing)
                await wait.over.wait()
        except TimeoutError:
            pass
        finally:
            self._waits.discard(wait)
        fates: dict[Key, PinakError] = {
            key: NotSearchable(f"durable, but not searchable: {why}")
            for key, why in wait.refused.items()
        }
        why = self.trouble() or "the indexer is behind"
        late = Unavailable(f"durable, but not searchable after {timeout_s:g} s; {why}")
        return fates | dict.fromkeys(wait.missing, late)

    def indexed(self, keys: AbstractSet[Key], refused: Mapping[Key, str] = _NOTHING) -> None:
        """End the waits for these keys: they are committed, or have no vector to wait for."""
        for wait in self._waits:
            wait.found(keys, refused)

    async def recheck(self) -> None:
        """Ask the database about every key that somebody waits for."""
        missing = frozenset[Key]().union(*(wait.missing for wait in self._waits))
        if missing:
            await self._ask(missing)

    async def _ask(self, keys: AbstractSet[Key]) -> None:
        owed = await not_searchable(self.database, keys, model_id=self.model_id)
        refused = {key: why for key, why in owed.items() if why is not None}
        self.indexed(keys - owed.keys(), refused)
