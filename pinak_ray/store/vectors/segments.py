"""Segments: sealed ranges of a large namespace's vectors, each with an HNSW index of its own.

Up to 20,000 vectors are compared one by one (0.4 us each, and nothing is missed). Beyond that the
oldest become a segment: a copy in a table of its own, indexed in bulk off the write path, where an
index kept up to date in line would cost nine tenths of a write. Four segments of a size become one
of the next, so that a million vectors lie in about nine. Segments are derived: a search without
them is exact and slower, and `memory_vectors` stays the truth, so a revision or a deletion counts
at once.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pinak_ray.store.database import Connection, Database
from pinak_ray.store.queries import query

__all__ = ["SEAL_AT", "drop_segments", "seal_some", "unsealed"]

SEAL_AT = 20_000
"""So many vectors in a tail become a segment."""

# Segments of 20, 80 and 320 thousand. A graph of 400,000 takes 700 MB while it is built; one of
# 938,000 found .95 of the ten nearest where those of 400,000 together found .997.
_FAN_IN = 4
_MOST_ROWS = 400_000
_GRAPH_BYTES_PER_ROW = 1_700
# Each is a table and an index: beyond this, further namespaces are searched exactly.
_MOST_SEGMENTS = 1_024
# A walk that finds mostly what is gone is slower than a new segment is dear.
_LEAST_LIVING = 0.5
_BUILD_TIMEOUT_S = 3_600.0


class Segment(NamedTuple):
    """One segment that is searched."""

    namespace_id: int
    model_id: int
    kind: int
    id: int
    first_seq: int
    end_seq: int
    rows: int

    @property
    def tier(self) -> int:
        """How many times it was merged, by its size."""
        tier, rows = 0, SEAL_AT * _FAN_IN
        while self.rows >= rows:
            tier, rows = tier + 1, rows * _FAN_IN
        return tier


async def seal_some(database: Database, *, model_id: int, seal_at: int = SEAL_AT) -> int:
    """Plan what is due, build at most one segment, and drop those that had their time.

    Returns how many vectors the new segment holds: 0 when nothing could be built. Any number of
    Indexers may call it.
    """
    async with database.service() as connection:
        async with connection.transaction():
            await connection.execute(query("segments", "lock"))
            await _plan_tails(connection, model_id, seal_at)
            await _plan_merges(connection, model_id)
            await _plan_repair(connection, model_id)
        await _drop_outlived(connection)
        async with connection.transaction():
            return await _build(connection)


async def unsealed(database: Database, *, model_id: int, seal_at: int = SEAL_AT) -> int:
    """Return how many vectors wait for a segment, about; tails that are too short do not count."""
    async with database.service() as connection:
        return int(await connection.fetchval(query("segments", "unsealed"), model_id, seal_at))


async def drop_segments(connection: Connection, model_id: int) -> None:
    """Drop all segments of a model, inside the caller's transaction."""
    for row in await connection.fetch(query("segments", "of_model"), model_id):
        await _drop(connection, row["id"])


async def _plan(
    connection: Connection, namespace_id: int, model_id: int, kind: int, span: tuple[int, int]
) -> None:
    await connection.execute(query("segments", "plan"), namespace_id, model_id, kind, *span)


async def _plan_tails(connection: Connection, model_id: int, seal_at: int) -> None:
    large = query("segments", "large")
    for row in await connection.fetch(large, model_id, seal_at, _MOST_SEGMENTS):
        namespace_id, kind, first_seq = row
        tail = await connection.fetchrow(
            query("segments", "tail"), namespace_id, model_id, kind, first_seq, _MOST_ROWS
        )
        assert tail is not None
        if tail["rows"] >= seal_at:
            await _plan(connection, namespace_id, model_id, kind, (first_seq, tail["end_seq"]))


async def _plan_merges(connection: Connection, model_id: int) -> None:
    rows = await connection.fetch(query("segments", "searched"), model_id)
    for run in _runs([Segment(*row) for row in rows]):
        first, span = run[0], (run[0].first_seq, run[-1].end_seq)
        await _plan(connection, first.namespace_id, model_id, first.kind, span)


def _runs(segments: Sequence[Segment]) -> list[Sequence[Segment]]:
    """Return the runs of neighbours of one size that should become one segment."""
    runs = []
    for at in range(len(segments) - _FAN_IN + 1):
        run = segments[at : at + _FAN_IN]
        alike = all(
            (a.namespace_id, a.kind, a.tier) == (b.namespace_id, b.kind, b.tier)
            for a, b in pairwise(run)
        )
        if alike and sum(segment.rows for segment in run) <= _MOST_ROWS:
            runs.append(run)
    return runs


async def _plan_repair(connection: Connection, model_id: int) -> None:
    """Look at one segment, and plan it anew when half of it is gone."""
    row = await connection.fetchrow(query("segments", "check"), model_id)
    if row is not None and row["living"] < _LEAST_LIVING * row["rows"]:
        span = (row["first_seq"], row["end_seq"])
        await _plan(connection, row["namespace_id"], model_id, row["kind"], span)


async def _build(connection: Connection) -> int:
    """Build one planned segment in the caller's transaction: a crash leaves nothing behind."""
    taken = await connection.fetchrow(query("segments", "take"))
    if taken is None:
        return 0
    # DDL takes no parameters; these are integers that the database itself returned.
    table, dimension = f"pinak.segment_{int(taken['id'])}", int(taken["dimension"])
    of = (taken["namespace_id"], taken["model_id"], taken["kind"])
    span = (taken["first_seq"], taken["end_seq"])
    await connection.execute(f"SET LOCAL statement_timeout = '{int(_BUILD_TIMEOUT_S)}s'")
    await connection.execute(
        f"CREATE TABLE {table} (memory_id uuid NOT NULL, "
        f"embedding halfvec({dimension}) STORAGE PLAIN NOT NULL)"
    )
    copied = await connection.execute(
        f"INSERT INTO {table} {query('segments', 'fill')}",
        *of,
        *span,
        timeout=_BUILD_TIMEOUT_S,
    )
    rows = int(copied.rsplit(" ", 1)[1])
    await _index(connection, table, rows)
    await _wall(connection, table, int(taken["namespace_id"]))
    await connection.execute(query("segments", "built"), taken["id"], rows)
    await connection.execute(query("segments", "replace"), *of, taken["id"], *span)
    return rows


async def _index(connection: Connection, table: str, rows: int) -> None:
    # Beyond this a build goes on on disk, ten times slower; workers would need shared memory.
    megabytes = 64 + rows * _GRAPH_BYTES_PER_ROW // (1 << 20)
    await connection.execute(f"SET LOCAL maintenance_work_mem = '{megabytes}MB'")
    await connection.execute("SET LOCAL max_parallel_maintenance_workers = 0")
    await connection.execute(
        f"CREATE INDEX ON {table} USING hnsw (embedding halfvec_cosine_ops) "
        "WITH (m = 16, ef_construction = 64)",
        timeout=_BUILD_TIMEOUT_S,
    )
    await connection.execute(f"ANALYZE {table}", timeout=_BUILD_TIMEOUT_S)


async def _wall(connection: Connection, table: str, namespace_id: int) -> None:
    """Let the readers of this namespace in, and no others."""
    await connection.execute(f"GRANT SELECT ON {table} TO pinak_app")
    await connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    await connection.execute(
        f"CREATE POLICY own_namespace ON {table} TO pinak_app USING "
        f"((SELECT current_setting('pinak.namespace_id')::integer) = {namespace_id})"
    )


async def _drop_outlived(connection: Connection) -> None:
    async with connection.transaction():
        for row in await connection.fetch(query("segments", "outlived")):
            await _drop(connection, row["id"])


async def _drop(connection: Connection, segment_id: int) -> None:
    await connection.execute(f"DROP TABLE IF EXISTS pinak.segment_{int(segment_id)}")
    await connection.execute(query("segments", "forget"), segment_id)
