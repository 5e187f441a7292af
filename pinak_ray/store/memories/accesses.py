"""How often memories are returned: counted behind the answer, and written in batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from pinak_ray.concurrency.write_behind import WriteBehind
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


@dataclass(slots=True)
class Accesses:
    """Counts the memories that recalls and nudges return, off their way.

    Bounded; counts are lost when the process is killed or the database away, and nothing else is.
    """

    database: Database
    _queue: WriteBehind[_Key, int] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = WriteBehind(
            "accesses_not_counted", self._add, _CAPACITY, _UPSERTS, gather_s=_WRITE_AFTER_S
        )

    def note(self, namespace_id: int, memory_ids: Iterable[UUID]) -> None:
        """Count one access of each, unless the caller only looks; returns at once."""
        if only_looks.get():
            return
        for memory_id in memory_ids:
            key = namespace_id, memory_id
            self._queue.put(key, self._queue.waiting.get(key, 0) + 1)

    async def aclose(self) -> None:
        """Write what waits, within five seconds."""
        await self._queue.aclose()

    async def _add(self, counted: Sequence[tuple[_Key, int]]) -> None:
        # In one order everywhere: two recallers must not wait for each other's rows.
        counted = sorted(counted)
        async with self.database.service() as connection:
            await connection.execute(
                query("curation", "add_accesses"),
                [namespace_id for (namespace_id, _), _ in counted],
                [memory_id for (_, memory_id), _ in counted],
                [count for _, count in counted],
            )
