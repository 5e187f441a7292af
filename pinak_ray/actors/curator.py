"""The Curator: removes what has expired and folds generations. Decay and merges come later."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.expiry import purge_expired
from pinak_ray.store.generations import fold_generations
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Curator"]

_EVERY_S = 60.0
# Some 250 batches a second are written at full load: each recall adds up as many rows at most.
_FOLD_EVERY_S = 1.0


class Curator:
    """Two loops on timers, and the slower one's pass on request."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        self._parts = Lazy(lambda: Database.open(config.dsn, name="pinak-ray curator"))
        self._removed = 0
        loop = asyncio.get_running_loop()
        self._loops = [
            loop.create_task(self._repeat(self.curate, _EVERY_S)),
            loop.create_task(self._repeat(self._fold, _FOLD_EVERY_S)),
        ]

    async def _repeat(self, work: Callable[[], Awaitable[int]], every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await work()
            except Exception as error:
                structlog.get_logger().warning("curation_failed", error=repr(error))

    async def _fold(self) -> int:
        return await fold_generations(await self._parts.get())

    async def curate(self) -> int:
        """Make one pass and return how many expired rows went."""
        removed = await purge_expired(await self._parts.get())
        self._removed += removed
        return removed

    async def ping(self) -> dict[str, Any]:
        """Return the curator's numbers once its database has answered."""
        await (await self._parts.get()).ping()
        if any(loop.done() for loop in self._loops):
            raise Unavailable("a curating loop has ended")
        return {"pid": os.getpid(), "removed": self._removed}

    async def drain(self) -> None:
        """Stop the loops and let go of the connections."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._parts.opened is not None:
            await self._parts.opened.aclose()
