"""Candidates: one round trip brings each signal's best memories, with every signal of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from pinak_ray.recall.fusion import Scores
from pinak_ray.recall.recipes import (
    DENSE,
    LEXICAL,
    PHRASE,
    RECENCY,
    WINDOW_DENSE,
    WINDOW_LEXICAL,
    Recipe,
)
from pinak_ray.records.recall import Filters, RecallRequest
from pinak_ray.store.database import Connection, Database
from pinak_ray.store.hits import Row
from pinak_ray.store.indexing import OWN_TEXT
from pinak_ray.store.queries import query
from pinak_ray.store.vector_cache import NOTHING_KNOWN, Known, VectorCache
from pinak_ray.store.windows import WINDOW

__all__ = ["Candidates", "filter_arguments", "find_candidates"]


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
    vectors: VectorCache | None = None,
) -> Candidates:
    """Return what `recipe` finds for `request`; `vector` is the query's in halfvec form.

    What `vectors` hold is compared here, and all others by the database.
    """
    async with database.reading(namespace_id) as connection:
        rows = await _rows(connection, namespace_id, model_id, request, recipe, vector, vectors)
    signals = {
        name: np.array(
            [np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64
        )
        for name in recipe.weights
    }
    counts = {
        name: 0 if not rows else rows[0].get(f"{name}_count", len(rows)) for name in recipe.weights
    }
    return Candidates(rows, signals, counts)


async def _rows(
    connection: Connection,
    namespace_id: int,
    model_id: int,
    request: RecallRequest,
    recipe: Recipe,
    vector: bytes | None,
    vectors: VectorCache | None,
) -> list[asyncpg.Record]:
    filters = filter_arguments(request.filters)
    depth = request.depth
    if RECENCY in recipe.weights:
        limit = recipe.limit(RECENCY, depth)
        return await connection.fetch(query("recall", "recent"), namespace_id, limit, *filters)
    if PHRASE in recipe.weights:
        limit = recipe.limit(PHRASE, depth)
        statement = query("recall", "exact")
        return await connection.fetch(statement, namespace_id, request.query, limit, *filters)
    limits = [
        0 if vector is None and name in (DENSE, WINDOW_DENSE) else recipe.limit(name, depth)
        for name in (DENSE, LEXICAL, WINDOW_DENSE, WINDOW_LEXICAL)
    ]
    return await connection.fetch(
        query("recall", "candidates"),
        namespace_id,
        model_id,
        request.query,
        vector,
        *limits,
        *filters,
        *_known(vectors, namespace_id, OWN_TEXT, vector, limits[0], request),
        *_known(vectors, namespace_id, WINDOW, vector, limits[2], request),
    )


def _known(
    vectors: VectorCache | None,
    namespace_id: int,
    kind: int,
    vector: bytes | None,
    wanted: int,
    request: RecallRequest,
) -> Known:
    """Return what is known of a query that nothing narrows: of what passes it, too little is."""
    if vectors is None or vector is None or request.filters != Filters():
        return NOTHING_KNOWN
    return vectors.known(namespace_id, kind, vector, wanted)


def filter_arguments(filters: Filters) -> tuple[Any, ...]:
    """Return the eleven fields of the database's `filters`; None for each that any passes."""
    return (
        list(filters.layers) or None,
        list(filters.agents) or None,
        list(filters.sessions) or None,
        list(filters.tags) or None,
        list(filters.any_tags) or None,
        list(filters.no_tags) or None,
        list(filters.entities) or None,
        filters.outcome,
        filters.since,
        filters.until,
        filters.as_of,
    )
