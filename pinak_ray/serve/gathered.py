"""What all parts of the stack say: gathered once for all who ask within a second."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pinak_ray.concurrency.single_flight import SingleFlight

__all__ = ["Gathered"]

# A scraper asks every few seconds; whoever asks more often, without a token, hears the same.
_FRESH_S = 1.0


@dataclass(slots=True)
class Gathered:
    """Answers by name, each at most a second old; one gathering under way at a time."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _flights: SingleFlight[str, Any] = field(default_factory=SingleFlight)

    async def get(self, name: str, gather: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return what `gather` returns now, or did a moment ago; raises what it raises."""
        at, answer = self._kept.get(name, (0.0, None))
        if answer is not None and self.clock() - at < _FRESH_S:
            return answer

        async def kept() -> Any:
            gathered = await gather()
            self._kept[name] = self.clock(), gathered
            return gathered

        return await self._flights.run(name, kept)
