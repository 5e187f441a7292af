"""How many queue rows the Indexer takes at a time."""

from uuid import UUID

import pytest

from pinak_ray.actors.indexer import _next_limit
from pinak_ray.store.indexing import IndexedBatch


def batch(memories: int, rows: int) -> IndexedBatch:
    """A pass over this many memories."""
    return IndexedBatch(frozenset((7, UUID(int=n)) for n in range(memories)), rows, memories)


@pytest.mark.parametrize(
    ("limit", "done", "expected"),
    [
        (1, batch(1, 1), 2),  # lone writes: more at a time, step by step
        (8, batch(8, 8), 8),  # bounded, for a burst may follow
        (8, batch(512, 8), 2),  # about 128 memories a transaction
        (1, batch(256, 1), 1),  # a full commit is enough for one
        (2, batch(0, 2), 4),  # rows whose memories were deleted
    ],
)
def test_rows_are_taken_by_their_size(limit: int, done: IndexedBatch, expected: int) -> None:
    """Small rows are taken many at once, big ones alone: a crash repeats little."""
    assert expected == _next_limit(limit, done)
