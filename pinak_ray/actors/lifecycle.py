"""Open what an actor owns on first use, once, and again if that failed.

An actor's `__init__` stays empty, so that a restart after kill -9 answers within a second or two
even while PostgreSQL is still recovering.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

__all__ = ["Lazy", "actor_options"]

T = TypeVar("T")


@dataclass(slots=True)
class Lazy(Generic[T]):
    """A single-flight opener: the first caller opens, the others wait for the same result."""

    opener: Callable[[], Awaitable[T]]
    _value: T | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self) -> T:
        """Return the opened thing; raises what the opener raised, and tries again next time."""
        if self._value is None:
            async with self._lock:
                if self._value is None:
                    self._value = await self.opener()
        return self._value

    @property
    def opened(self) -> T | None:
        """The opened thing, or None if nobody has used it yet."""
        return self._value


def actor_options(name: str, *, resources: dict[str, float]) -> dict[str, Any]:
    """Return the options that all our actors share.

    max_restarts=-1: Ray restarts a killed process. max_task_retries=0: with Ray's hidden retries an
    operation ran twice (measured); the client retries instead, with the same id. num_cpus=0: the
    actors wait for sockets, and must start on a machine whose cores are busy.
    """
    return {
        "name": name,
        "lifetime": "detached",
        "get_if_exists": True,
        "max_restarts": -1,
        "max_task_retries": 0,
        "num_cpus": 0,
        # A host's watchers may take half of them, and then hold them for up to 20 s each.
        "max_concurrency": 4000,
        # One record a call in the GCS, which keeps 100,000 of them: 20 MiB a minute at full load.
        "enable_task_events": False,
        "resources": resources,
        "scheduling_strategy": "SPREAD",
    }
