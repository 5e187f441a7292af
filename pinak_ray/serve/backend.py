"""The seam between the routes and the stack: whoever composes a gateway implements this."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pinak_ray.client.transport import Transport
from pinak_ray.security.keys import PublicKey

__all__ = ["Backend"]


class Backend(Protocol):
    """What the routes need of the stack behind them."""

    @property
    def transport(self) -> Transport:
        """Carries every operation, Recall and Intend too (the composition answers them itself)."""
        ...

    async def public_keys(self) -> Mapping[str, PublicKey]:
        """Return the keys whose tokens may hold, by id; asked again every 30 s at most."""
        ...

    async def readiness(self) -> Mapping[str, str]:
        """Return each part of the stack with `ok`, or with what is wrong with it."""
        ...

    async def stats(self, namespace_id: int) -> Mapping[str, Any]:
        """Return figures of one namespace, as JSON holds them."""
        ...

    async def metrics(self) -> Sequence[bytes]:
        """Return the Prometheus texts of the other parts; the gateway adds its own."""
        ...
