"""The seam between the routes and the stack: whoever composes a gateway implements this."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from pinak_ray.client.transport import Transport
from pinak_ray.records.memory.curation import CurationReport
from pinak_ray.records.memory.revisions import History
from pinak_ray.security.keys import PublicKey

__all__ = ["Backend"]


class Backend(Protocol):
    """What the routes need of the stack behind them."""

    @property
    def dimension(self) -> int:
        """That of the embedding model that serves: another after a switch."""
        ...

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

    async def versions(
        self, namespace_id: int, memory_id: UUID, *, limit: int, before: UUID | None
    ) -> History:
        """Return a memory and what superseded one another around it; raises NotFound."""
        ...

    async def curation(self, namespace_id: int) -> Mapping[str, Any]:
        """Return the policy, the last report and what is archived, as JSON holds them."""
        ...

    async def curate(self, namespace_id: int, *, dry_run: bool) -> CurationReport:
        """Have the Curator make one pass; raises Conflict while another one is made."""
        ...

    async def scratchpad_figures(self, namespace_id: int) -> Mapping[str, Any]:
        """Return what the scratchpads of one namespace hold, as JSON."""
        ...

    async def cache_figures(self) -> Mapping[str, Any]:
        """Return what this process's cache of recall may hold, holds and has done, as JSON."""
        ...

    async def metrics(self) -> Sequence[bytes]:
        """Return the Prometheus texts of the other parts; the gateway adds its own."""
        ...
