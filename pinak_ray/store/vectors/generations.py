"""Generations: a namespace's rises in the transaction that changes what its recalls may return."""

import asyncio
from datetime import datetime
from typing import NamedTuple

from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["Generation", "Generations", "fold_generations"]

# A statement of 2,000 rows takes some 20 ms; more are left for the next.
_ROWS_AT_ONCE = 2000


class Generation(NamedTuple):
    """A namespace's generation, and the database's time when it was read."""

    number: int
    read_at: datetime


class Generations:
    """Reads generations, one round trip at a time on one connection.

    Who asks while a read is under way shares the next one with all others who do: a read counts for
    those only who asked before it began, for it tells nothing of what was written later.
    """

    __slots__ = ("_database", "_next", "_reading")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = asyncio.Lock()
        self._next: tuple[set[int], asyncio.Task[dict[int, Generation]]] | None = None

    async def of(self, namespace_id: int) -> Generation:
        """Return the namespace's generation, that of nothing older than this call.

        Raises Unavailable where the database does not answer.
        """
        if self._next is None:
            wanted: set[int] = set()
            self._next = wanted, asyncio.create_task(self._read(wanted))
        wanted, read = self._next
        wanted.add(namespace_id)
        return (await asyncio.shield(read))[namespace_id]

    async def _read(self, wanted: set[int]) -> dict[int, Generation]:
        async with self._reading:
            self._next = None  # from here on, who asks is told by the next read
            async with self._database.service() as connection:
                rows = await connection.fetch(query("generations", "read"), list(wanted))
        return {row["namespace_id"]: Generation(row["number"], row["read_at"]) for row in rows}


async def fold_generations(database: Database) -> int:
    """Sum up what was added to each namespace's generation; return how many rows that were.

    Any number of calls and processes may do it at once.
    """
    folded = 0
    while True:
        async with database.service() as connection:
            rows = int(await connection.fetchval(query("generations", "fold"), _ROWS_AT_ONCE))
        folded += rows
        if rows < _ROWS_AT_ONCE:
            return folded
