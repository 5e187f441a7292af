"""AgentHost: the Ray shell over Host, which holds many agents and boards."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog

from pinak_ray.agents.host import Host
from pinak_ray.agents.turns import Turns
from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.concurrency.periodic import every
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.operations import HostOperation, Origin, Watch, WatchPage
from pinak_ray.records.state.wire import decode_operation, encode_result
from pinak_ray.records.topology import Placement
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import HOST_POOL
from pinak_ray.store.agent_state import AgentState
from pinak_ray.store.database import Database
from pinak_ray.store.placement import load_placement
from pinak_ray.telemetry.logs import configure_logs
from pinak_ray.telemetry.process import resident_bytes

__all__ = ["AgentHost"]

_PASSIVATE_EVERY_S = 5.0


class _Parts(NamedTuple):
    database: Database
    state: AgentState
    host: Host
    passivating: "asyncio.Task[None]"


class AgentHost:
    """Takes its shards under a new epoch each time its process starts."""

    def __init__(self, config: StackConfig, name: str) -> None:
        configure_logs()
        self._config = config
        self._name = name
        self._turns = Turns()
        self._parts = Lazy(self._open)

    async def _open(self) -> _Parts:
        database = await Database.open(
            self._config.dsn, service_connections=HOST_POOL.service, name=f"pinak-ray {self._name}"
        )
        placement = await load_placement(database)
        if placement is None:
            await database.aclose()
            raise Unavailable("no placement is stored yet; the supervisor stores the first one")
        state = AgentState(database, self._name, placement)
        host = Host(state, placement, frozenset(), budget_bytes=self._config.host_memory_bytes)
        await self._take(state, host, placement)

        async def passivate() -> None:
            host.passivate(idle_s=self._config.host_idle_s)

        passivating = every(_PASSIVATE_EVERY_S, passivate, "passivation_failed")
        return _Parts(database, state, host, asyncio.create_task(passivating))

    async def _take(self, state: AgentState, host: Host, placement: Placement) -> None:
        new = placement.shards_of(self._name) - host.owned
        await state.take(new)
        state.follow(placement, host.owned | new)
        host.take(placement, new)
        structlog.get_logger().info(
            "shards_taken", host=self._name, shards=len(new), version=placement.version
        )

    async def apply(
        self, sent: Sequence[Any], origin: Origin | None = None, retried: bool = False
    ) -> list[Any]:
        """Apply a batch in order; each gives its result or the error that refused it.

        Operations and results travel as `records/state/wire.py` has them.
        """
        parts = await self._parts.get()
        operations = [decode_operation(each) for each in sent]
        results = await parts.host.apply(operations, origin, retried=retried)
        return [encode_result(o, r) for o, r in zip(operations, results, strict=True)]

    async def apply_one(self, operation: HostOperation, turn: Origin | None = None) -> Any:
        """Apply one operation: the `.remote()` lane, one call each, in the caller's order."""
        parts = await self._parts.get()
        # Before the turn: what is applied at once must not overtake what still waits for its load.
        await parts.host.activate([operation.owner])
        if turn is not None:
            await self._turns.wait(turn)
        applying = asyncio.create_task(parts.host.apply([operation]))
        if turn is not None:
            self._turns.done(turn)
        (result,) = await applying
        if isinstance(result, Exception):
            raise result
        return result

    async def watch(self, operation: Watch) -> WatchPage:
        """Return the next committed entries: outside of the lanes, since it may wait for long."""
        return await (await self._parts.get()).host.watch(operation)

    async def release(self, placement: Placement) -> None:
        """Commit and let go of what a new placement gives to other hosts."""
        _, state, host, _ = await self._parts.get()
        if placement.version >= host.placement.version:
            keep = host.owned & placement.shards_of(self._name)
            await host.release(placement, keep)
            state.follow(placement, keep)

    async def take(self, placement: Placement) -> None:
        """Take what a placement gives to this host, once the others have released it."""
        _, state, host, _ = await self._parts.get()
        if placement.version >= host.placement.version:
            await self._take(state, host, placement)

    async def ping(self) -> dict[str, Any]:
        """Return this host's numbers once its database has answered."""
        database, state, host, _ = await self._parts.get()
        await database.ping()
        return {
            "pid": os.getpid(),
            "rss_bytes": resident_bytes(),
            "queue_depth": state.depth,
            "active": len(host.activations),
            "active_bytes": host.activations.size_bytes,
            "activated": host.activated,
            "passivated": host.activations.passivated,
            "applied": host.applied,
            "watchers": host.watchers.parked,
            "shards": len(host.owned),
            "version": host.placement.version,
            **state.delays,
        }

    async def drain(self) -> None:
        """Commit what waits and let go of everything."""
        if self._parts.opened is not None:
            database, state, host, passivating = self._parts.opened
            passivating.cancel()
            await host.aclose()
            await state.aclose()
            await database.aclose()
