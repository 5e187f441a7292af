"""Candidates: one round trip brings both signals' best memories, with every signal of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL, Recipe
from pinak_ray.records.recall import Filters, RecallRequest
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.hits import Row
from pinak_ray.store.queries import query

__all__ = ["Candidates", "find_candidates"]

# Of the nearest vectors, this many times the wanted ones are looked through at first. Only where
# three of four near the query are dead (expired, superseded) is a second, full look needed.
_MARGIN = 4


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of all signals' candidates: n rows, and per signal its n raw scores (NaN: none)."""

    rows: Sequence[Row]
    signals: dict[str, Scores]
    counts: dict[str, int]


async def find_candidates(
    database: Database,
    namespace_id: int,
    *,
    model_id: int,
    request: RecallRequest,
    recipe: Recipe,
    vector: bytes | None,
) -> Candidates:
    """Return what `recipe` finds for `request`; `vector` is the query's in halfvec form."""
    has_vector = vector is not None
    dense = recipe.limit(DENSE, request.k) if has_vector else 0
    lexical = recipe.limit(LEXICAL, request.k)
    windows = (
        recipe.limit(WINDOW_DENSE, request.k) if has_vector else 0,
        recipe.limit(WINDOW_LEXICAL, request.k),
    )
    filters = _filter_arguments(request.filters)
    arguments = (namespace_id, model_id, request.query, vector, dense, lexical, *filters)
    async with database.reading(namespace_id) as connection:
        rows = await _fetch(connection, arguments, _MARGIN * dense, windows)
        if dense and _cut_short(rows, dense):
            rows = await _fetch(connection, arguments, None, windows)
    signals = {
        name: np.array(
            [np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64
        )
        for name in recipe.weights
    }
    counts = {name: rows[0][f"{name}_count"] if rows else 0 for name in recipe.weights}
    return Candidates(rows, signals, counts)


def _cut_short(rows: list[asyncpg.Record], dense: int) -> bool:
    """Tell whether dead memories may have crowded out living ones that lie further away."""
    if not rows:
        return True
    looked_through: int = rows[0]["looked_through"]
    found: int = rows[0]["dense_count"]
    return found < dense and looked_through == _MARGIN * dense


async def _fetch(
    connection: Connection,
    arguments: tuple[Any, ...],
    nearest: int | None,
    windows: tuple[int, int],
) -> list[asyncpg.Record]:
    return await connection.fetch(query("recall", "candidates"), *arguments, nearest, *windows)


def _filter_arguments(filters: Filters) -> tuple[Any, ...]:
    """Return the query's seven filter arguments; None for each that any memory passes."""
    return (
        list(filters.layers) or None,
        list(filters.agents) or None,
        list(filters.sessions) or None,
        list(filters.tags) or None,
        filters.outcome,
        filters.since,
        filters.until,
    )
