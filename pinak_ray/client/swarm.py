"""Swarm: one namespace of one stack, over whichever wire; handles come from it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pinak_ray.client.handles import AgentHandle, BoardHandle
from pinak_ray.client.transport import Transport
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_name

__all__ = ["Swarm"]


@dataclass(frozen=True, slots=True, eq=False)
class Swarm:
    """One namespace's agents and boards. Cheap to pickle: hand it, or its handles, to any task.

    Example::

        deployer = swarm.agent("deployer")
        await deployer.remember("orders is deployed from the branch release", tags=["orders"])
        await swarm.board("release-7").post("orders is out", author="deployer")
    """

    namespace: NamespaceKey
    namespace_id: int
    dimension: int
    transport: Transport

    def agent(self, name: str) -> AgentHandle:
        """Return the agent of this name; it need not exist yet."""
        return AgentHandle(self, check_name("agent", name))

    def board(self, name: str) -> BoardHandle:
        """Return the board of this name; it need not exist yet."""
        return BoardHandle(self, check_name("board", name))

    async def aclose(self) -> None:
        """Release the connection; what was acknowledged stays."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Swarm {self.namespace} over {type(self.transport).__name__}>"
