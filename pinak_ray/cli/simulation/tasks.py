"""The Ray side: a task drives each slice of the agents; one actor collects their samples."""

import asyncio
from typing import Any

import ray

from pinak_ray.cli.simulation.acknowledged import Acknowledged
from pinak_ray.cli.simulation.load import Load
from pinak_ray.cli.simulation.plan import Slice
from pinak_ray.cli.simulation.samples import Samples
from pinak_ray.client.swarm import Swarm

__all__ = ["START_TIMEOUT_S", "Tally", "drive"]

START_TIMEOUT_S = 60.0
_REPORT_TIMEOUT_S = 20.0


@ray.remote(num_cpus=0, max_restarts=0)
class Tally:
    """Holds the samples until the driver takes them, and the word to end early."""

    def __init__(self, tasks: int) -> None:
        self._samples = Samples()
        self._missing = tasks
        self._started = asyncio.Event()
        self._ending = False

    async def ready(self) -> None:
        """Return when every task is ready, so that all have one beginning."""
        self._missing -= 1
        if self._missing == 0:
            self._started.set()
        await self.started()

    async def started(self) -> None:
        """Return when every task is ready; raises TimeoutError when one does not come."""
        async with asyncio.timeout(START_TIMEOUT_S):
            await self._started.wait()

    async def report(self, samples: Samples) -> bool:
        """Add what a task has measured; return whether it is to end early."""
        self._samples.merge(samples)
        return self._ending

    async def take(self) -> Samples:
        """Return what was reported since the last call."""
        taken, self._samples = self._samples, Samples()
        return taken

    async def end(self) -> None:
        """Ask all tasks to end; each hears of it with its next report."""
        self._ending = True


# Without Ray's retries: a task that died would begin its whole schedule again.
@ray.remote(num_cpus=0, max_retries=0, scheduling_strategy="SPREAD")
def drive(swarm: Swarm, part: Slice, tally: Any) -> Acknowledged:
    """Act for one slice of the agents; return what was acknowledged to them."""

    async def report(samples: Samples) -> bool:
        async with asyncio.timeout(_REPORT_TIMEOUT_S):
            return bool(await tally.report.remote(samples))

    async def work() -> Acknowledged:
        async with swarm:
            load = Load(swarm, part, report)
            await load.warm_up()
            await tally.ready.remote()
            return await load.run()

    return asyncio.run(work())
