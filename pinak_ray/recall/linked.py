"""What the database's links lead to: from one memory, or from the hits of a recall."""

from functools import partial

from pinak_ray.recall.candidates import filter_arguments
from pinak_ray.recall.expansion import expand
from pinak_ray.recall.related import unknown_memory, walk
from pinak_ray.records.memory.links import Related
from pinak_ray.records.memory.recall import Filters, RecallRequest, RecallResult
from pinak_ray.records.operations import ReadRelated
from pinak_ray.store.answering import answers
from pinak_ray.store.database import Database
from pinak_ray.store.memories.links import is_there, neighbours

__all__ = ["expanded", "find_related"]


@answers(ReadRelated)
async def find_related(database: Database, operation: ReadRelated) -> tuple[Related, ...]:
    """Return what is related to one memory, strongest first; raises NotFound if it is not there."""
    namespace_id, request = operation.namespace_id, operation.request
    async with database.reading(namespace_id) as connection:
        if not await is_there(connection, namespace_id, request.memory_id):
            raise unknown_memory(request.memory_id)
        step = partial(
            neighbours,
            connection,
            namespace_id,
            filters=filter_arguments(Filters()),
            min_strength=request.min_strength,
            kinds=request.kinds,
        )
        return await walk([request.memory_id], step, depth=request.depth, k=request.k)


async def expanded(
    database: Database, namespace_id: int, request: RecallRequest, result: RecallResult
) -> RecallResult:
    """Return the result with its hits' neighbours, where the request asks for them."""
    if not request.expand or not result.hits:
        return result
    async with database.reading(namespace_id) as connection:
        step = partial(
            neighbours, connection, namespace_id, filters=filter_arguments(request.filters)
        )
        return await expand(request, result, step)
