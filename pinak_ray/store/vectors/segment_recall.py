"""How much of what an exact search finds, an approximate one finds."""

from typing import NamedTuple

from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["SegmentRecall", "measure_recall"]

_K = 10
_QUERIES = 10


class SegmentRecall(NamedTuple):
    """Recall@10, in [0, 1], in the namespace whose segments hold most."""

    namespace_id: int
    rows: int
    segments: int
    recall: float


async def measure_recall(database: Database) -> SegmentRecall | None:
    """Compare both searches on ten queries; None where no namespace has segments.

    An exact search reads every vector: a million take a second or two.
    """
    async with database.service() as connection, connection.transaction():
        largest = await connection.fetchrow(query("segments", "largest"))
        if largest is None:
            return None
        namespace_id, model_id, kind, rows, segments = largest
        await connection.execute(query("segments", "enter"), str(namespace_id))
        exactly = await connection.fetchval(query("segments", "exact_statement"), model_id, kind)
        samples = await connection.fetch(
            query("segments", "samples"), namespace_id, model_id, kind, _QUERIES
        )
        found = 0
        for (vector,) in samples:
            near = await connection.fetch(query("segments", "nearest"), model_id, kind, vector, _K)
            expected = await connection.fetch(exactly, vector, _K, None, [])
            found += len({row["id"] for row in near} & {row["id"] for row in expected})
    recall = found / (_K * max(len(samples), 1))
    return SegmentRecall(namespace_id, rows, segments, recall)
