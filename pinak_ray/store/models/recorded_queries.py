"""A sample of what was asked, to compare models by: at most 512 queries a namespace, for a week."""

import random
from collections.abc import Sequence

from pinak_ray.concurrency.write_behind import WriteBehind
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

    __slots__ = ("_database", "_queue", "_share")

    def __init__(self, database: Database, share: float) -> None:
        self._database = database
        self._share = share
        self._queue: WriteBehind[tuple[int, str], None] = WriteBehind(
            "queries_not_recorded", self._record, _AT_ONCE, _AT_ONCE, gather_s=_WRITE_AFTER_S
        )

    def note(self, namespace_id: int, request: RecallRequest) -> None:
        """Take a request's query into the sample, or not; returns at once."""
        if random.random() >= self._share or only_looks.get():  # noqa: S311 - a sample
            return
        if request.query and request.cursor is None:
            self._queue.put((namespace_id, request.query), None)

    async def aclose(self) -> None:
        """Write what waits, within five seconds."""
        await self._queue.aclose()

    async def _record(self, asked: Sequence[tuple[tuple[int, str], None]]) -> None:
        async with self._database.service() as connection:
            await connection.execute(
                query("recorded_queries", "record"),
                [namespace_id for (namespace_id, _), _ in asked],
                [text for (_, text), _ in asked],
            )


async def recorded_queries(
    database: Database, *, limit: int, namespace_id: int | None = None
) -> list[tuple[int, str]]:
    """Return recorded queries with their namespaces, the latest first."""
    async with database.service() as connection:
        rows = await connection.fetch(query("recorded_queries", "latest"), namespace_id, limit)
    return [(row["namespace_id"], row["query"]) for row in rows]
