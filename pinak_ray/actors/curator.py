"""The Curator: removes what has expired, merges and forgets as configured, folds generations."""

import asyncio
import os
from typing import Any

from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.concurrency.periodic import every
from pinak_ray.curation.passes import curate, curate_due
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.memory.curation import CurationReport
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import CURATOR_POOL
from pinak_ray.store.database import Database
from pinak_ray.store.lifecycle.expiry import purge_expired
from pinak_ray.store.vectors.generations import fold_generations
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["Curator"]

_PURGE_EVERY_S = 60.0
# Some 250 batches a second are written at full load: each recall adds up as many rows at most.
_FOLD_EVERY_S = 1.0
# So that curators of several stacks over one database do not begin together for ever.
_JITTER = 0.1


class Curator:
    """Three loops on timers, and a pass over one namespace on request."""

    def __init__(self, config: StackConfig) -> None:
        configure_logs()
        self._policy = config.curation
        self._parts = Lazy(
            lambda: Database.open(
                config.dsn, service_connections=CURATOR_POOL.service, name="pinak-ray curator"
            )
        )
        self._removed = 0
        self._curated = 0
        loop = asyncio.get_running_loop()
        self._loops = [
            loop.create_task(every(seconds, work, "curation_failed", jitter=_JITTER))
            for seconds, work in (
                (_PURGE_EVERY_S, self._purge),
                (self._policy.every_s, self._curate_due),
                (_FOLD_EVERY_S, self._fold),
            )
        ]

    async def _fold(self) -> None:
        await fold_generations(await self._parts.get())

    async def _purge(self) -> None:
        self._removed += await purge_expired(await self._parts.get())

    async def _curate_due(self) -> None:
        self._curated += await curate_due(await self._parts.get(), self._policy)

    async def curate(self, namespace_id: int, dry_run: bool) -> CurationReport:
        """Make one pass over a namespace; raises Conflict while another curator is at it."""
        database = await self._parts.get()
        report = await curate(database, namespace_id, self._policy, dry_run=dry_run)
        if not dry_run:
            self._curated += sum(report.counts.values())
        return report

    async def ping(self) -> dict[str, Any]:
        """Return the curator's numbers once its database has answered."""
        await (await self._parts.get()).ping()
        if any(loop.done() for loop in self._loops):
            raise Unavailable("a curating loop has ended")
        return {"pid": os.getpid(), "removed": self._removed, "curated": self._curated}

    async def drain(self) -> None:
        """Stop the loops and let go of the connections."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._parts.opened is not None:
            await self._parts.opened.aclose()
