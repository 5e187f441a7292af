"""What every handle is: a name in a swarm."""

from dataclasses import dataclass
from typing import Protocol

from pinak_ray.client.transport import Transport

__all__ = ["Handle", "SwarmLike"]


class SwarmLike(Protocol):
    """What a handle needs of its swarm."""

    @property
    def namespace_id(self) -> int: ...  # noqa: D102
    @property
    def dimension(self) -> int: ...  # noqa: D102
    @property
    def transport(self) -> Transport: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Handle:
    """One name in one swarm; its verbs travel by the swarm's transport."""

    swarm: SwarmLike
    name: str

    @property
    def transport(self) -> Transport:
        """The wire that this handle's operations take."""
        return self.swarm.transport

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
