"""What is related to a memory: a walk along its links, both ways, bounded in depth and strength."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias
from uuid import UUID

from pinak_ray.recall.paging import row_bytes
from pinak_ray.records.answer_size import fitting
from pinak_ray.records.errors import NotFound
from pinak_ray.records.memory.links import Related
from pinak_ray.records.memory.rows import Reached, hit_from_row

__all__ = ["Step", "unknown_memory", "walk"]

Step: TypeAlias = Callable[[Mapping[UUID, float], Collection[UUID]], Awaitable[Sequence[Reached]]]
"""Takes the strengths of paths by the memory where they end, and the memories already reached;
returns those one link further, each once, by its strongest path."""


async def walk(starts: Sequence[UUID], step: Step, *, depth: int, k: int) -> tuple[Related, ...]:
    """Return the `k` most strongly related memories within `depth` links of any start, or as many
    of them as one answer holds.

    Level by level: a memory belongs to the first that reaches it, so none is visited twice.
    """
    seen = set(starts)
    frontier = dict.fromkeys(starts, 1.0)
    found: list[tuple[Related, int]] = []
    for level in range(1, depth + 1):
        reached = await step(frontier, seen)
        frontier = {row["id"]: strength for row, strength, _ in reached}
        if not frontier:
            break
        seen |= frontier.keys()
        found += [
            (Related(hit_from_row(row, strength), strength, level, link), row_bytes(row))
            for row, strength, link in reached
        ]
    found.sort(key=lambda each: (-each[0].strength, each[0].depth, each[0].hit.id))
    count = fitting(size for _, size in found[:k])
    return tuple(related for related, _ in found[:count])


def unknown_memory(memory_id: UUID) -> NotFound:
    """Return the error for a memory that this namespace does not have."""
    return NotFound(f"memory {memory_id} does not exist in this namespace")
