"""Single-flight: who asks for the same thing at the same time shares one run of the work."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

__all__ = ["SingleFlight"]

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Flight(Generic[R]):
    run: "asyncio.Task[R]"
    callers: int = 0


@dataclass(slots=True)
class SingleFlight(Generic[K, R]):
    """Runs of work by key, each shared by all who ask while it lasts.

    An error is that of all who share the run, and of nobody after: the next caller begins anew. A
    caller that goes away leaves the run to the others, and the last one ends it.
    """

    shared: int = 0
    """How many callers did not begin a run, but joined one."""
    _flights: dict[K, _Flight[R]] = field(default_factory=dict)

    async def run(self, key: K, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Return what `work` returns, or the run of another caller with an equal key."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(work()))
            flight.run.add_done_callback(lambda _: self._end(key, flight))
        else:
            self.shared += 1
        flight.callers += 1
        try:
            return await asyncio.shield(flight.run)
        finally:
            flight.callers -= 1
            if not flight.callers:
                self._end(key, flight)
                flight.run.cancel()

    def _end(self, key: K, flight: _Flight[R]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
