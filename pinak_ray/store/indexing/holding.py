"""Rows of a queue that are kept from others while their texts are embedded.

By a time and not by a transaction: an endpoint may take half a minute, and an open transaction
keeps vacuum from its work, holds a connection, and may be ended by the server meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Literal

import structlog

from pinak_ray.store.database import Database
from pinak_ray.store.queries import query

__all__ = ["HELD_FOR", "Queue", "held", "let_all_go"]

Queue = Literal["indexing", "backfill"]

# So long after a crash others take them, unless the part that held them is back before.
HELD_FOR: Final = timedelta(seconds=10)
_GO_ON_AFTER_S: Final = 3.0


@asynccontextmanager
async def held(database: Database, queue: Queue, ids: Sequence[int]) -> AsyncIterator[None]:
    """Go on keeping rows from others until the block ends; no connection is held for it."""
    going_on = asyncio.create_task(_go_on(database, queue, ids))
    try:
        yield
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)


async def _go_on(database: Database, queue: Queue, ids: Sequence[int]) -> None:
    while True:
        await asyncio.sleep(_GO_ON_AFTER_S)
        try:
            async with database.service() as connection:
                await connection.execute(query(queue, "go_on_holding"), ids, HELD_FOR)
        except Exception as error:  # at worst others embed the same, and one of both is too late
            structlog.get_logger().warning("rows_not_held", queue=queue, error=repr(error))


async def let_all_go(database: Database) -> None:
    """Free what a part that died has held; of one that lives, a batch is repeated at most."""
    async with database.service() as connection:
        for queue in ("indexing", "backfill"):
            await connection.execute(query(queue, "let_all_go"))
