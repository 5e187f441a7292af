"""The seam between verbs and wires: Ray, HTTP and the in-memory twin implement these methods."""

from typing import Any, Protocol, TypeVar

from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.wiring import Operation

__all__ = ["Transport"]

R = TypeVar("R")


class Transport(Protocol):
    """Carries operations to where they are applied."""

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the id of this namespace, making it if it is new."""
        ...

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation, batched with others where that is faster.

        Raises the operation's own PinakError, Overloaded when a queue is full, and Unavailable
        when the stack does not answer within the retry window.
        """
        ...

    def submit(self, operation: Operation[R]) -> Any:
        """Start one operation alone and return its Ray ObjectRef (the `.remote()` lane)."""
        ...

    async def aclose(self) -> None:
        """Release what this transport holds."""
        ...
