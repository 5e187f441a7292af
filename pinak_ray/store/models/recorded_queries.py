"""A sample of what was asked, to compare models by: at most 512 queries a namespace, for a week."""

import asyncio
import random

import structlog

from pinak_ray.records.memory.recall import RecallRequest
from pinak_ray.store.database import Database
from pinak_ray.store.onlooker import only_looks
from pinak_ray.store.queries import query

__all__ = ["QueryRecorder", "recorded_queries"]

_WRITE_AFTER_S = 1.0
# More within a second are not needed for a sample.
_AT_ONCE = 256


class QueryRecorder:
    """Keeps a share of the queries that it is told of, off the caller's way.

    A query always takes the same slot of its namespace, where a later one may replace it: so what
    is kept is bounded, and the same question counts once.
    """

    __slots__ = ("_database", "_pending", "_share", "_writing")

    def __init__(self, database: Database, share: float) -> None:
        self._database = database
        self._share = share
        self._pending: set[tuple[int, str]] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, namespace_id: int, request: RecallRequest) -> None:
        """Take a request's query into the sample, or not; returns at once."""
        if random.random() >= self._share or len(self._pending) >= _AT_ONCE:  # noqa: S311 - a sample
            return
        if not request.query or request.cursor is not None or only_looks.get():
            return
        self._pending.add((namespace_id, request.query))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon())

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WRITE_AFTER_S)
        pending, self._pending, self._writing = self._pending, set(), None
        try:
            async with self._database.service() as connection:
                await connection.execute(
                    query("recorded_queries", "record"),
                    [namespace_id for namespace_id, _ in pending],
                    [text for _, text in pending],
                )
        except Exception as error:
            structlog.get_logger().warning("queries_not_recorded", error=repr(error))

    def close(self) -> None:
        """Forget what is not written yet: it is a sample."""
        if self._writing is not None:
            self._writing.cancel()


async def recorded_queries(
    database: Database, *, limit: int, namespace_id: int | None = None
) -> list[tuple[int, str]]:
    """Return recorded queries with their namespaces, the latest first."""
    async with database.service() as connection:
        rows = await connection.fetch(query("recorded_queries", "latest"), namespace_id, limit)
    return [(row["namespace_id"], row["query"]) for row in rows]
