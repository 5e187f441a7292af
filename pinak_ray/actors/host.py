"""AgentHost: the Ray shell over Host, which holds many agents and boards."""

import os
from collections.abc import Sequence
from typing import Any

import structlog

from pinak_ray.actors.config import StackConfig
from pinak_ray.actors.lifecycle import Lazy
from pinak_ray.agents.host import Host
from pinak_ray.records.operations import HostOperation
from pinak_ray.records.state import SHARDS
from pinak_ray.records.topology import place
from pinak_ray.store.agent_state import AgentState
from pinak_ray.store.database import Database
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["AgentHost"]


class AgentHost:
    """Takes its shards under a new epoch each time its process starts."""

    def __init__(self, config: StackConfig, name: str, hosts: tuple[str, ...]) -> None:
        configure_logs()
        self._config = config
        self._name = name
        self._hosts = hosts
        self._parts = Lazy(self._open)

    async def _open(self) -> tuple[Database, AgentState, Host]:
        database = await Database.open(
            self._config.dsn, service_connections=4, name=f"pinak-ray {self._name}"
        )
        placement = place(self._hosts)
        shards = [shard for shard in range(SHARDS) if placement[shard] == self._name]
        state = await AgentState.take(database, self._name, shards)
        structlog.get_logger().info("shards_taken", host=self._name, shards=len(shards))
        return database, state, Host(state, frozenset(shards))

    async def apply(self, operations: Sequence[HostOperation]) -> list[Any]:
        """Apply operations in order; each gives its result or the error that refused it."""
        _, _, host = await self._parts.get()
        return await host.apply(operations)

    async def apply_one(self, operation: HostOperation) -> Any:
        """Apply one operation: the `.remote()` lane, one call each."""
        (result,) = await self.apply([operation])
        if isinstance(result, Exception):
            raise result
        return result

    async def ping(self) -> dict[str, Any]:
        """Return this host's numbers once its database has answered."""
        database, state, host = await self._parts.get()
        await database.ping()
        return {
            "pid": os.getpid(),
            "queue_depth": state.depth,
            "active": host.active,
            "applied": host.applied,
            "shards": len(host.owned_shards),
        }

    async def drain(self) -> None:
        """Commit what waits and let go of everything."""
        if self._parts.opened is not None:
            database, state, host = self._parts.opened
            await host.aclose()
            await state.aclose()
            await database.aclose()
