"""A circuit breaker: while an endpoint is down, one probe at a time asks it, and nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pinak_ray.concurrency.backoff import backoff
from pinak_ray.embedding.endpoint.request import EndpointError

__all__ = ["Breaker"]

# Between two probes; drawn around it, so that processes do not ask in step.
_FIRST_PAUSE_S = 1.0
_LAST_PAUSE_S = 10.0
# However long an endpoint asks to be left alone.
_LONGEST_PAUSE_S = 60.0


@dataclass(slots=True)
class Breaker:
    """Open, it names the cause at once, and closes when a probe is answered."""

    probe: Callable[[float], Awaitable[None]]
    """Asks the endpoint, within so many seconds; raises EndpointError."""
    error: EndpointError | None = None
    """Why it is open."""
    _probing: "asyncio.Task[None] | None" = field(default=None, repr=False)

    def trip(self, error: EndpointError, *, within_s: float) -> None:
        """Open it; a probe must be answered within the time that the failed call had."""
        self.error = error
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._until_it_answers(error, within_s))

    def close(self) -> None:
        """Ask no more."""
        if self._probing is not None and not self._probing.done():
            self._probing.cancel()

    async def _until_it_answers(self, error: EndpointError, within_s: float) -> None:
        pauses = backoff(_FIRST_PAUSE_S, _LAST_PAUSE_S, spread=0.5)
        while True:
            told_s = min(error.retry_after_s, _LONGEST_PAUSE_S)
            await asyncio.sleep(max(next(pauses), told_s))
            try:
                await self.probe(within_s)
            except EndpointError as still:
                error = self.error = still
            else:
                self.error = None
                return
