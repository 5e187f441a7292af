"""Vectors of the namespaces in use, in this process's memory, where comparing them is cheapest.

PostgreSQL compares 10,000 vectors in 8 to 14 ms, most of it for fetching each row; one product of a
matrix with a vector takes 2. Of a large namespace sketches are held: choosing 300 of a million by
them takes 30 ms, where walking the segments' indexes takes 80. What is held ends at a number that
nobody writes below any more; the tail behind it is compared by the database in the same statement
that looks up what was found here, so that a new memory counts at once, and one that was revised or
forgotten does not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog

from pinak_ray.embedding import decode_halfvec
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query
from pinak_ray.store.vectors.segments import SEAL_AT
from pinak_ray.store.vectors.vector_tables import ExactTable, Rows, SketchTable, VectorTable

__all__ = ["NOTHING_KNOWN", "Known", "VectorCache"]

# Below, the database takes as long as it takes to say what is known.
_LEAST = 100
# So long a tail costs 0.2 ms a query.
_TAIL = 256
_LOOK_EVERY_S = 5.0
# What does not fit is not read again every few seconds.
_REFUSED_FOR_S = 900.0
# What is superseded or forgotten goes with the next whole load; until then it costs its place.
_RELOAD_AFTER_S = 900.0
# Whoever writes vectors is done in milliseconds; a longer one is waited for at the next look.
_SETTLE_TIMEOUT_S = 5.0
_SETTLE_POLL_S = 0.05
_PAGE = 4_000

Key = tuple[int, int]
"""A namespace's id and a kind of vectors."""


class Known(NamedTuple):
    """The nearest of all vectors numbered below `since`; as `pinak.known`.

    Without distances these are about the nearest, and the database measures each.
    """

    ids: list[UUID] | None
    distances: list[float] | None
    since: int | None


NOTHING_KNOWN = Known(None, None, None)


class _Held(NamedTuple):
    """All vectors numbered below `since`."""

    table: VectorTable
    since: int
    loaded_at: float

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.loaded_at > _RELOAD_AFTER_S


@dataclass(slots=True)
class VectorCache:
    """The vectors of one model, least recently used namespaces first, bounded in bytes.

    A namespace is loaded in the background when it is first asked for; until then nothing is known.
    Of one with more than `exact_rows` vectors sketches are held.
    """

    database: Database
    model_id: int
    budget_bytes: int = 256 << 20
    exact_rows: int = SEAL_AT
    _held: dict[Key, _Held] = field(default_factory=dict)
    # When to look next, and the last look.
    _looks: "dict[Key, tuple[float, asyncio.Task[None]]]" = field(default_factory=dict)

    async def known(
        self, namespace_id: int, kind: int, vector: bytes, wanted: int, *, failures: bool = False
    ) -> Known:
        """Return what is nearest to a vector, in halfvec form; among failures only if asked for."""
        key = (namespace_id, kind)
        self._look(key)
        held = self._held.pop(key, None)
        if held is None:
            return NOTHING_KNOWN
        self._held[key] = held  # as the one used last
        if wanted < 1:
            return NOTHING_KNOWN
        near = await held.table.nearest(decode_halfvec(vector), wanted, failures=failures)
        return Known(*near, held.since)

    def similarities(
        self, namespace_id: int, kind: int, vector: bytes, ids: Sequence[UUID]
    ) -> npt.NDArray[np.float64]:
        """Return the cosines of a vector, in halfvec form, with these memories' own, (len(ids),).

        NaN where one is not held. Those of own texts never change, but a memory may be forgotten.
        """
        held = self._held.get((namespace_id, kind))
        if held is None:
            return np.full(len(ids), np.nan)
        return held.table.similarities(decode_halfvec(vector), ids)

    async def loaded(self, namespace_id: int, kind: int) -> bool:
        """Return whether this namespace is held, once a look that is under way has ended."""
        _, look = self._looks.get((namespace_id, kind), (0.0, None))
        if look is not None:
            await asyncio.wait({look})
        return (namespace_id, kind) in self._held

    async def aclose(self) -> None:
        """Stop looking, and forget everything."""
        looks = {look for _, look in self._looks.values()}
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)
        self._held.clear()

    def _look(self, key: Key) -> None:
        next_at, look = self._looks.get(key, (0.0, None))
        now = time.monotonic()
        if look is None or (look.done() and now >= next_at):
            self._looks = {
                other: (at, task)
                for other, (at, task) in self._looks.items()
                if not task.done() or now < at
            }
            self._looks[key] = now + _LOOK_EVERY_S, asyncio.create_task(self._follow(key))

    async def _follow(self, key: Key) -> None:
        try:
            await self._load(key)
        except Exception as error:
            structlog.get_logger().warning("vectors_not_cached", error=repr(error))

    async def _load(self, key: Key) -> None:
        held = self._held.get(key)
        if held is not None and held.is_old:
            held = None
        since, rows = (0, 0) if held is None else (held.since, len(held.table))
        of = (key[0], self.model_id, key[1])
        async with self.database.service() as connection:
            more = await connection.fetchval(
                query("vector_cache", "count"), *of, since, self.exact_rows + 1
            )
            indexed = await connection.fetchval(query("vector_cache", "indexed"), key[0], key[1])
            end = await connection.fetchval(query("vector_cache", "end"), *of)
            writers = await connection.fetch(query("vector_cache", "writers"))
        rows += more
        if rows < _LEAST or (held is not None and more < _TAIL):
            return
        kind: type[VectorTable] = SketchTable if rows > self.exact_rows else ExactTable
        if held is not None and not isinstance(held.table, kind):
            held = None
        if await self._settled([row["virtualtransaction"] for row in writers]):
            table = await self._read(of, end, kind, held, max(rows, indexed))
            if table is None:
                self._held.pop(key, None)
                self._looks[key] = time.monotonic() + _REFUSED_FOR_S, self._looks[key][1]
            else:
                self._put(key, table, end, time.monotonic() if held is None else held.loaded_at)

    async def _settled(self, writers: Sequence[str]) -> bool:
        """Return True once these transactions have ended, False if one goes on for long."""
        ends_at = time.monotonic() + _SETTLE_TIMEOUT_S
        while writers:
            async with self.database.service() as connection:
                if not await connection.fetchval(query("vector_cache", "still_writing"), writers):
                    break
            if time.monotonic() > ends_at:
                return False
            await asyncio.sleep(_SETTLE_POLL_S)  # PostgreSQL tells nobody when a transaction ends
        return True

    async def _read(
        self,
        of: tuple[int, int, int],
        end: int,
        kind: type[VectorTable],
        held: _Held | None,
        expected: int,
    ) -> VectorTable | None:
        """Return what is held with all vectors before `end`; None if it would not fit.

        `expected` is how many these may be, about.
        """
        parts = [] if held is None else [held.table]
        async for page in self._pages(of, 0 if held is None else held.since, end):
            parts.append(await asyncio.to_thread(kind.of, page, parts[0] if parts else None))
            if expected * parts[0].nbytes > self.budget_bytes * len(parts[0]):
                return None
        return await asyncio.to_thread(kind.joined, parts)

    async def _pages(self, of: tuple[int, int, int], since: int, end: int) -> AsyncIterator[Rows]:
        while True:
            async with self.database.service() as connection:
                page = await connection.fetchrow(
                    query("vector_cache", "page"), *of, since, end, _PAGE
                )
            assert page is not None
            if page["last"] is None:
                return
            yield await asyncio.to_thread(
                Rows.decode, page["ids"], page["vectors"], page["is_failure"]
            )
            since = page["last"] + 1

    def _put(self, key: Key, table: VectorTable, since: int, loaded_at: float) -> None:
        self._held.pop(key, None)
        self._held[key] = _Held(table, since, loaded_at)
        size = sum(held.table.nbytes for held in self._held.values())
        while size > self.budget_bytes:
            oldest = next(iter(self._held))
            size -= self._held.pop(oldest).table.nbytes
