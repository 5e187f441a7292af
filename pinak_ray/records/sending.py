"""What a verb of several operations needs of a transport: to send one operation."""

from typing import Protocol, TypeVar

from pinak_ray.records.wiring import Operation

R = TypeVar("R")

__all__ = ["Send"]


class Send(Protocol):
    """What a verb of several operations needs of a transport: its `send`."""

    async def __call__(self, operation: Operation[R], /) -> R:
        """Carry out one operation."""
        ...
