"""What every route works with: the backend, the keys, the deadlines and the counters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request

from pinak_ray.embedding import check_vector, encode_halfvec_one
from pinak_ray.records.errors import PinakError, Unavailable
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.operations import Watch
from pinak_ray.records.wiring import Operation
from pinak_ray.serve.auth.keys import KeyCache
from pinak_ray.serve.backend import Backend
from pinak_ray.serve.gathered import Gathered
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["AppContext", "Context", "Deadlines", "context_of"]

R = TypeVar("R")

# Some 100 bytes each; a gateway that serves more namespaces asks again.
_MAX_NAMESPACES = 10_000


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long the stack may take before the caller hears 503, in seconds."""

    read_s: float = 10.0
    write_s: float = 30.0
    """A `searchable` receipt waits for the Indexer, which may have a backlog."""
    readiness_s: float = 5.0

    def of(self, operation: Operation[R]) -> float:
        """Return how long this operation may take."""
        if isinstance(operation, Watch):
            return operation.wait_s + self.read_s
        return self.write_s if operation.wiring.writes else self.read_s


@dataclass(frozen=True, slots=True)
class AppContext:
    """One gateway, whatever protocols it speaks."""

    backend: Backend
    keys: KeyCache
    metrics: Metrics
    deadlines: Deadlines
    gathered: Gathered = field(default_factory=Gathered)
    _namespaces: dict[NamespaceKey, int] = field(default_factory=dict)

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the namespace's id, which never changes once it has one."""
        known = self._namespaces.get(key)
        if known is not None:
            return known
        async with self.deadline(self.deadlines.read_s):
            found = await self.backend.transport.namespace_id(key)
        if len(self._namespaces) >= _MAX_NAMESPACES:
            self._namespaces.clear()
        self._namespaces[key] = found
        return found

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation within its deadline, and count it; raises its PinakError."""
        result = "internal"
        try:
            async with self.deadline(self.deadlines.of(operation)):
                answer = await self.backend.transport.send(operation)
            result = "ok"
        except PinakError as error:
            result = error.code
            raise
        except asyncio.CancelledError:
            result = "cancelled"
            raise
        finally:
            self.metrics.count_operation(type(operation).__name__.lower(), result=result)
        return answer

    @asynccontextmanager
    async def deadline(self, seconds: float) -> AsyncIterator[None]:
        """Raise Unavailable when the body of the `with` takes longer."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise Unavailable(f"the stack did not answer within {seconds:g} s; try again") from None

    def encode_vector(self, values: list[float] | None) -> bytes | None:
        """Return a caller's vector in halfvec form; raises WrongDimension and InvalidInput."""
        if values is None:
            return None
        return encode_halfvec_one(check_vector(values, dimension=self.backend.dimension))


async def context_of(request: Request) -> AppContext:
    """Return the application's context."""
    return cast("AppContext", request.app.state.context)


Context = Annotated[AppContext, Depends(context_of)]
