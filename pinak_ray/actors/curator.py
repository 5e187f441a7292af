"""The Curator: removes what has expired. Decay, merges and archives come with a later issue."""

import asyncio
import os
from typing import Any

import structlog

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.records.errors import Unavailable
from pinak_ray.store.database import Database
from pinak_ray.store.expiry import purge_expired
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Curator"]

_EVERY_S = 60.0


class Curator:
    """One loop on a timer, and the same pass on request."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        self._parts = Lazy(lambda: Database.open(config.dsn, name="pinak-ray curator"))
        self._removed = 0
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.curate()
            except Exception as error:
                structlog.get_logger().warning("curation_failed", error=repr(error))

    async def curate(self) -> int:
        """Make one pass and return how many expired rows went."""
        removed = await purge_expired(await self._parts.get())
        self._removed += removed
        return removed

    async def ping(self) -> dict[str, Any]:
        """Return the curator's numbers once its database has answered."""
        await (await self._parts.get()).ping()
        if self._loop.done():
            raise Unavailable("the curating loop has ended")
        return {"pid": os.getpid(), "removed": self._removed}

    async def drain(self) -> None:
        """Stop the loop and let go of the connections."""
        self._loop.cancel()
        if self._parts.opened is not None:
            await self._parts.opened.aclose()
