"""The Supervisor: the one detached actor that starts, heals and knows all the others."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any, Protocol

import ray
import structlog

from pinak_ray.actors.curator import Curator
from pinak_ray.actors.host import AgentHost
from pinak_ray.actors.indexer import Indexer
from pinak_ray.actors.options import actor_options
from pinak_ray.actors.placing import Placing
from pinak_ray.actors.recaller import Recaller
from pinak_ray.actors.writer import Writer
from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.operations import Dedicate
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Topology
from pinak_ray.services.config import StackConfig
from pinak_ray.services.connections import SUPERVISOR_POOL
from pinak_ray.services.names import CURATOR, indexer_name, recaller_name, writer_name
from pinak_ray.store.database import Database
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.models.serving_model import serving
from pinak_ray.store.namespaces import ensure_namespace
from pinak_ray.telemetry.logs import configure_logs

__all__ = ["DatabaseKeeper", "Supervisor", "start_supervisor"]

_CHECK_EVERY_S = 1.0
# Under the gateway's 5 s for a scrape: one silent part must not hide the others' figures.
_PING_TIMEOUT_S = 4.0
# An actor may take this long to open its model and its connections before it counts as missing.
_START_TIMEOUT_S = 120.0


class DatabaseKeeper(Protocol):
    """Starts the embedded PostgreSQL again when it died; None where the database is another's."""

    def start(self) -> str:
        """Bring the server up if it is down, and return its DSN."""
        ...

    def is_alive(self) -> bool:
        """Return True if the server answers a query."""
        ...


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    actor_class: Any
    arguments: tuple[Any, ...]


def _children(config: StackConfig) -> list[_Child]:
    """Return all children but the hosts, which come and go."""
    indexers = tuple(indexer_name(i) for i in range(config.indexers))
    return [
        *(_Child(name, Indexer, (config,)) for name in indexers),
        *(_Child(writer_name(i), Writer, (config, indexers)) for i in range(config.writers)),
        *(_Child(recaller_name(i), Recaller, (config,)) for i in range(config.recallers)),
        _Child(CURATOR, Curator, (config,)),
    ]


class Supervisor:
    """Owns every other actor's life; off the hot path, clients ask it once and cache."""

    def __init__(
        self, config: StackConfig, gateway_url: str, keeper: DatabaseKeeper | None = None
    ) -> None:
        configure_logs()
        self._config = config
        self._gateway_url = gateway_url
        self._keeper = keeper
        self._fixed = _children(config)
        self._database = Lazy(
            lambda: Database.open(
                config.dsn, service_connections=SUPERVISOR_POOL.service, name="pinak-ray supervisor"
            )
        )
        self._placing = Placing(self._database, self._start_host, config.hosts)
        self._stopping = False
        # From the first moment, so that a supervisor that was itself killed goes on healing.
        self._healing = asyncio.get_running_loop().create_task(self._heal())

    async def start(self) -> None:
        """Start what is missing and return when every part answers; raises Unavailable if not."""
        await self._keep_database()
        await self._placing.begin()
        children = await self._children()
        for child in children:
            self._ensure(child)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await asyncio.gather(*(self._answer(child) for child in children))
        except TimeoutError:
            health = await self.health()
            silent = [
                f"{name} ({health[name]['error']})"
                for name in sorted(health)
                if "error" in health[name]
            ]
            raise Unavailable(f"these parts did not start: {', '.join(silent)}") from None

    async def _children(self) -> list[_Child]:
        placement = await self._placing.current()
        return [*self._fixed, *(self._host(name) for name in placement.all_hosts)]

    def _host(self, name: str) -> _Child:
        return _Child(name, AgentHost, (self._config, name))

    def _start_host(self, name: str) -> Any:
        return self._ensure(self._host(name))

    async def _answer(self, child: _Child) -> None:
        """Return once the child answers; a PostgreSQL or model that is still starting is no end."""
        while True:
            try:
                await self._ensure(child).ping.remote()
                return
            except ray.exceptions.RayError as error:
                structlog.get_logger().info("waiting_for", part=child.name, error=str(error)[-300:])
                await asyncio.sleep(0.2)

    def _ensure(self, child: _Child) -> Any:
        """Return the child's handle, starting it if there is none."""
        try:
            return ray.get_actor(child.name, namespace=RAY_NAMESPACE)
        except ValueError:
            pass
        options = actor_options(child.name, resources=self._config.cpu_resource)
        actor_class: Any = ray.remote(child.actor_class)
        return actor_class.options(namespace=RAY_NAMESPACE, **options).remote(*child.arguments)

    async def _heal(self) -> None:
        """Each second: the database must answer, and every child must exist.

        Ray restarts a killed process by itself; what it does not bring back is an actor that was
        removed for good, and PostgreSQL.
        """
        while not self._stopping:
            await asyncio.sleep(_CHECK_EVERY_S)
            try:
                await self._keep_database()
                for child in self._fixed:
                    self._ensure(child)
                await self._placing.heal()  # sees to the hosts
            except Exception as error:
                structlog.get_logger().warning("healing_failed", error=repr(error))

    async def _keep_database(self) -> None:
        keeper = self._keeper
        if keeper is None or await asyncio.to_thread(keeper.is_alive):
            return
        structlog.get_logger().warning("database_down")
        await asyncio.to_thread(keeper.start)
        structlog.get_logger().info("database_up")

    async def topology(self) -> Topology:
        """Return where the parts are."""
        config = self._config
        return Topology(
            placement=await self._placing.current(),
            writers=tuple(writer_name(i) for i in range(config.writers)),
            recallers=tuple(recaller_name(i) for i in range(config.recallers)),
            indexers=tuple(indexer_name(i) for i in range(config.indexers)),
            gateway_url=self._gateway_url,
        )

    async def scale(self, hosts: int) -> Topology:
        """Change the number of hosts while the swarm runs; returns once their shards have moved."""
        await self._placing.scale(hosts)
        return await self.topology()

    async def dedicate(self, operation: Dedicate) -> None:
        """Give one agent or board a host of its own, or take it back among the others."""
        await self._placing.dedicate(operation.owner, operation.dedicated)

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return this namespace's id, making it on first use."""
        database = await self._database.get()
        async with database.service() as connection:
            return await ensure_namespace(connection, key)

    async def model(self) -> RegisteredModel:
        """Return the embedding model that serves."""
        kept = await serving(await self._database.get())
        if kept is None:
            raise Unavailable("no embedding model serves yet; the parts are still starting")
        return kept.model

    async def health(self) -> dict[str, dict[str, Any]]:
        """Ask every part; each gives its numbers, or {"error": why}."""
        children = await self._children()
        answers = await asyncio.gather(
            *(self._ask(child) for child in children), self._ask_database()
        )
        names = [*(child.name for child in children), "postgres"]
        return dict(zip(names, answers, strict=True))

    async def _ask(self, child: _Child) -> dict[str, Any]:
        try:
            handle: Any = ray.get_actor(child.name, namespace=RAY_NAMESPACE)
            async with asyncio.timeout(_PING_TIMEOUT_S):
                answer: dict[str, Any] = await handle.ping.remote()
                return answer
        except (ray.exceptions.RayError, ValueError, TimeoutError) as error:
            return {"error": str(error).strip().splitlines()[-1] if str(error) else repr(error)}

    async def _ask_database(self) -> dict[str, Any]:
        try:
            await (await self._database.get()).ping()
        except Unavailable as error:
            return {"error": str(error)}
        return {}

    async def ping(self) -> dict[str, Any]:
        """Return this supervisor's process id."""
        return {"pid": os.getpid()}

    async def stop(self) -> None:
        """Drain and remove every child; writers first hand over what they hold."""
        self._stopping = True
        self._healing.cancel()
        for child in reversed(await self._children()):
            try:
                handle: Any = ray.get_actor(child.name, namespace=RAY_NAMESPACE)
            except ValueError:
                continue
            try:
                async with asyncio.timeout(15):
                    await handle.drain.remote()
            except (ray.exceptions.RayError, TimeoutError) as error:
                structlog.get_logger().warning("not_drained", part=child.name, error=repr(error))
            ray.kill(handle)


def start_supervisor(
    config: StackConfig, gateway_url: str, keeper: DatabaseKeeper | None = None
) -> Any:
    """Start the supervisor, or find the one that runs: `up` twice ends with one."""
    options = actor_options(SUPERVISOR, resources={})
    actor_class: Any = ray.remote(Supervisor)
    return actor_class.options(namespace=RAY_NAMESPACE, **options).remote(
        config, gateway_url, keeper
    )
