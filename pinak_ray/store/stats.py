"""Figures of one namespace, read under its own row-level security."""

from typing import Any

from pinak_ray.records.memory.templates import TEMPLATE_TAG
from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["namespace_figures", "scratchpad_figures"]


async def namespace_figures(database: Database, namespace_id: int) -> dict[str, Any]:
    """Return counts of memories by layer, vectors, working items and entries."""
    async with database.reading(namespace_id) as connection:
        layers = await connection.fetch(query("stats", "layers"))
        row = await connection.fetchrow(query("stats", "counts"))
    assert row is not None
    by_layer = {record["layer"]: record["memories"] for record in layers}
    return {"memories": sum(by_layer.values()), "layers": by_layer, **dict(row)}


async def scratchpad_figures(database: Database, namespace_id: int) -> dict[str, Any]:
    """Return what the scratchpads of a namespace hold, by kind, and its thought templates."""
    async with database.reading(namespace_id) as connection:
        kinds = await connection.fetch(query("stats", "scratchpad_kinds"))
        row = await connection.fetchrow(query("stats", "scratchpads"), TEMPLATE_TAG)
    assert row is not None
    by_kind = {record["kind"]: record["entries"] for record in kinds}
    size = sum(record["bytes"] for record in kinds)
    return {**dict(row), "entries": sum(by_kind.values()), "kinds": by_kind, "bytes": int(size)}
