"""Vectors of the namespaces in use, in this process's memory, where comparing them is cheapest.

PostgreSQL compares 10,000 vectors in 8 to 14 ms, most of it for fetching each row; one product of a
matrix with a vector takes 2. What is held ends at a number that nobody writes below any more; the
tail behind it is compared by the database in the same statement that looks up what was found here,
so that a new memory counts at once, and one that was revised or forgotten does not.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
import structlog

from pinak_ray.embedding import Vectors, decode_halfvec, decode_halfvecs, inner_products
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query
from pinak_ray.store.segments import SEAL_AT

__all__ = ["NOTHING_KNOWN", "Known", "VectorCache"]

# Below, the database takes as long as it takes to say what is known; beyond, a segment is about to
# hold them.
_LEAST = 100
_MOST = SEAL_AT
# So long a tail costs 0.2 ms a query.
_TAIL = 256
_LOOK_EVERY_S = 5.0
# What is superseded or forgotten goes with the next whole load; until then it costs its place.
_RELOAD_AFTER_S = 900.0
# Whoever writes vectors is done in milliseconds; a longer one is waited for at the next look.
_SETTLE_TIMEOUT_S = 5.0
_SETTLE_POLL_S = 0.05
_PAGE = 2_000
# A UUID and its place in a dictionary.
_BYTES_PER_ID = 200
# Some of the nearest do not pass: they were superseded, forgotten, or have expired.
_SPARE = 2

Key = tuple[int, int]
"""A namespace's id and a kind of vectors."""


class Known(NamedTuple):
    """The nearest of all vectors numbered from `first` on and below `since`; as `pinak.known`."""

    ids: list[UUID] | None
    distances: list[float] | None
    first: int | None
    since: int | None


NOTHING_KNOWN = Known(None, None, None, None)


class _Table(NamedTuple):
    """n vectors: ids (n,), unit (n, d) float32, and which are of failures (n,)."""

    ids: list[UUID]
    places: dict[UUID, int]
    units: Vectors
    is_failure: npt.NDArray[np.bool_]
    first: int
    since: int
    loaded_at: float

    @property
    def size_bytes(self) -> int:
        return self.units.nbytes + self.is_failure.nbytes + len(self.ids) * _BYTES_PER_ID

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.loaded_at > _RELOAD_AFTER_S

    def nearest(self, vector: Vectors, count: int, *, failures: bool) -> Known:
        """Return the `count` nearest by cosine distance, in no order."""
        distances = 1.0 - inner_products(self.units, vector / np.linalg.norm(vector))
        if failures:
            distances = np.where(self.is_failure, distances, np.inf)
        near = np.argpartition(distances, min(count, len(distances)) - 1)[:count]
        near = near[np.isfinite(distances[near])]
        ids = [self.ids[at] for at in near]
        return Known(ids, distances[near].tolist(), self.first, self.since)

    def similarities(self, vector: Vectors, ids: Sequence[UUID]) -> npt.NDArray[np.float64]:
        """Return the cosines with these memories' vectors; NaN where one is not held."""
        places = np.array([self.places.get(id_, -1) for id_ in ids], dtype=np.intp)
        held = places >= 0
        cosines = np.full(len(ids), np.nan)
        cosines[held] = inner_products(self.units[places[held]], vector / np.linalg.norm(vector))
        return cosines


@dataclass(slots=True)
class VectorCache:
    """The vectors of one model, least recently used namespaces first, bounded in bytes.

    A namespace is loaded in the background when it is first asked for; until then nothing is known.
    """

    database: Database
    model_id: int
    budget_bytes: int = 64 << 20
    _tables: dict[Key, _Table] = field(default_factory=dict)
    _looks: "dict[Key, tuple[float, asyncio.Task[None]]]" = field(default_factory=dict)

    def known(
        self, namespace_id: int, kind: int, vector: bytes, wanted: int, *, failures: bool = False
    ) -> Known:
        """Return what is nearest to a vector, in halfvec form; among failures only if asked for.

        Of failures only where all of them are held: a large namespace has most in its segments.
        """
        key = (namespace_id, kind)
        self._look(key)
        table = self._tables.pop(key, None)
        if table is None:
            return NOTHING_KNOWN
        self._tables[key] = table  # as the one used last
        if wanted < 1 or (failures and table.first > 0):
            return NOTHING_KNOWN
        return table.nearest(decode_halfvec(vector), wanted * _SPARE, failures=failures)

    def similarities(
        self, namespace_id: int, kind: int, vector: bytes, ids: Sequence[UUID]
    ) -> npt.NDArray[np.float64]:
        """Return the cosines of a vector, in halfvec form, with these memories' own, (len(ids),).

        NaN where one is not held. Those of own texts never change, but a memory may be forgotten.
        """
        table = self._tables.get((namespace_id, kind))
        if table is None:
            return np.full(len(ids), np.nan)
        return table.similarities(decode_halfvec(vector), ids)

    async def loaded(self, namespace_id: int, kind: int) -> bool:
        """Return whether this namespace is held, once a look that is under way has ended."""
        _, look = self._looks.get((namespace_id, kind), (0.0, None))
        if look is not None:
            await asyncio.wait({look})
        return (namespace_id, kind) in self._tables

    async def aclose(self) -> None:
        """Stop looking, and forget everything."""
        looks = {look for _, look in self._looks.values()}
        for look in looks:
            look.cancel()
        if looks:
            await asyncio.wait(looks)
        self._tables.clear()

    def _look(self, key: Key) -> None:
        looked_at, look = self._looks.get(key, (0.0, None))
        now = time.monotonic()
        if look is None or (look.done() and now - looked_at >= _LOOK_EVERY_S):
            recent = (
                (key, (at, look))
                for key, (at, look) in self._looks.items()
                if not look.done() or now - at < _LOOK_EVERY_S
            )
            self._looks = dict(recent)
            self._looks[key] = now, asyncio.create_task(self._follow(key))

    async def _follow(self, key: Key) -> None:
        try:
            await self._load(key)
        except Exception as error:
            structlog.get_logger().warning("vectors_not_cached", error=repr(error))

    async def _load(self, key: Key) -> None:
        of = (key[0], self.model_id, key[1])
        held = self._tables.get(key)
        async with self.database.service() as connection:
            first = await connection.fetchval(query("vector_cache", "first"), *of)
            if held is not None and (held.first != first or held.is_old):
                held = None
            since, rows = (first, 0) if held is None else (held.since, len(held.ids))
            more = await connection.fetchval(query("vector_cache", "count"), *of, since, _MOST + 1)
            end = await connection.fetchval(query("vector_cache", "end"), *of)
            writers = await connection.fetch(query("vector_cache", "writers"))
        if rows + more > _MOST:
            self._tables.pop(key, None)
        elif more >= (_LEAST if held is None else _TAIL) and await self._settled(
            [row["virtualtransaction"] for row in writers]
        ):
            self._put(key, await self._read(of, first, since, end, held))

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
        self, of: tuple[int, int, int], first: int, since: int, end: int, held: _Table | None
    ) -> _Table:
        """Return what is held from `first` on, and the vectors from `since` on and before `end`."""
        parts = [] if held is None else [held]
        rows: Sequence[Any] = [None]
        while rows:
            async with self.database.service() as connection:
                rows = await connection.fetch(query("vector_cache", "page"), *of, since, end, _PAGE)
            if rows:
                parts.append(_table(rows))
                since = rows[-1]["seq"] + 1
        ids = [id_ for part in parts for id_ in part.ids]
        return _Table(
            ids,
            {id_: place for place, id_ in enumerate(ids)},
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.is_failure for part in parts]),
            first,
            end,
            time.monotonic() if held is None else held.loaded_at,
        )

    def _put(self, key: Key, table: _Table) -> None:
        self._tables.pop(key, None)
        self._tables[key] = table
        size = sum(each.size_bytes for each in self._tables.values())
        while size > self.budget_bytes:
            oldest = next(iter(self._tables))
            size -= self._tables.pop(oldest).size_bytes


def _table(rows: Sequence[Any]) -> _Table:
    vectors = decode_halfvecs([row["embedding"] for row in rows])
    return _Table(
        [row["memory_id"] for row in rows],
        {},
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        np.array([row["is_failure"] for row in rows], dtype=np.bool_),
        rows[0]["seq"],
        rows[-1]["seq"] + 1,
        0.0,
    )
