"""How often memories are returned: counted behind the answer, and written in batches."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias
from uuid import UUID

import structlog

from pinak_ray.store.database import Database
from pinak_ray.store.onlooker import only_looks
from pinak_ray.store.queries import query

__all__ = ["Accesses"]

_Key: TypeAlias = tuple[int, UUID]

# A memory that a thousand recalls return within it is one row of one statement.
_WRITE_AFTER_S = 2.0
_UPSERTS = 512
# Some 5 MB. What else is returned while so many wait is not counted: it is a figure, not a record.
_CAPACITY = 32_768
_CLOSE_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Accesses:
    """Counts the memories that recalls and nudges return, off their way.

    Bounded; counts are lost when the process is killed or the database away, and nothing else is.
    """

    database: Database
    _waiting: Counter[_Key] = field(default_factory=Counter)
    _writing: "asyncio.Task[None] | None" = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, namespace_id: int, memory_ids: Iterable[UUID]) -> None:
        """Count one access of each, unless the caller only looks; returns at once."""
        if only_looks.get():
            return
        for memory_id in memory_ids:
            key = namespace_id, memory_id
            if key in self._waiting or len(self._waiting) < _CAPACITY:
                self._waiting[key] += 1
        if self._waiting and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write())

    async def aclose(self) -> None:
        """Write what waits, within five seconds."""
        self._closing.set()
        if self._writing is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._writing, _CLOSE_TIMEOUT_S)

    async def _write(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _WRITE_AFTER_S)
            taken, self._waiting = self._waiting, Counter()
            counts = iter(sorted(taken.items()))
            while batch := list(islice(counts, _UPSERTS)):
                try:
                    await self._add(batch)
                except Exception as error:
                    structlog.get_logger().warning("accesses_not_counted", error=repr(error))

    async def _add(self, batch: list[tuple[_Key, int]]) -> None:
        async with self.database.service() as connection:
            await connection.execute(
                query("curation", "add_accesses"),
                [namespace_id for (namespace_id, _), _ in batch],
                [memory_id for (_, memory_id), _ in batch],
                [count for _, count in batch],
            )
