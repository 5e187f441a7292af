"""Rows of the search queries, and the Hits that callers get of them."""

from typing import Any, NamedTuple, Protocol

import orjson

from pinak_ray.records.memory.links import Link
from pinak_ray.records.memory.memories import Layer, Outcome
from pinak_ray.records.memory.recall import Hit, Signal

__all__ = ["Reached", "Row", "hit_from_row"]


class Row(Protocol):
    """Values by column name: a row of PostgreSQL, or of the twin in `testing`."""

    def __getitem__(self, column: str, /) -> Any: ...


def hit_from_row(
    row: Row, score: float, *, signals: tuple[Signal, ...] = (), copies: int = 1
) -> Hit:
    """Return the Hit of a row that holds a memory's columns."""
    return Hit(
        id=row["id"],
        content=row["content"],
        score=score,
        layer=Layer(row["layer"]),
        agent=row["agent"],
        session=row["session"],
        tags=tuple(row["tags"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        occurred_at=row["occurred_at"],
        created_at=row["created_at"],
        details=orjson.loads(row["details"]),
        source=row["source"],
        signals=signals,
        copies=copies,
    )


class Reached(NamedTuple):
    """One memory at the end of a path of links: its columns, the path's strength and last link."""

    row: Row
    strength: float
    link: Link
