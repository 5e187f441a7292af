"""The Gateway deployment: the HTTP application over a stack, as Ray Serve runs it."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
import ray
from ray import serve
from ray.serve import Application
from ray.serve.config import BackpressureConfig
from ray.serve.schema import LoggingConfig
from starlette.applications import Starlette

from pinak_ray.client.over_ray.actor_calls import ActorCalls
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.composed.suspicions import suspect
from pinak_ray.composed.table import COMPOSED
from pinak_ray.concurrency.admission import Admission
from pinak_ray.records.board.suspicions import Suspect
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import CurationReport
from pinak_ray.records.memory.revisions import History
from pinak_ray.records.operations import Query
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Topology
from pinak_ray.records.wiring import Operation, Place
from pinak_ray.security.keys import PublicKey
from pinak_ray.serve.app import create_app
from pinak_ray.serve.middleware.rings import Limits
from pinak_ray.services.config import StackConfig
from pinak_ray.services.names import CURATOR
from pinak_ray.services.search import SearchParts
from pinak_ray.services.serving import Following
from pinak_ray.store.lifecycle.curation import last_curation
from pinak_ray.store.lifecycle.revisions import versions_of
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.signing_keys import live_keys
from pinak_ray.store.stats import namespace_figures, scratchpad_figures
from pinak_ray.telemetry.logs import configure_logs
from pinak_ray.telemetry.metrics import Metrics

__all__ = ["GATEWAY", "gateway_application"]

R = TypeVar("R")

GATEWAY = "gateway"

# Above our own limits, so that it is ours that refuse, by a problem document: Serve's own line
# would hold bodies of any size.
_PROBES = 128
# A caller over HTTP can wait by itself, and is told how long; here it would hold a place.
_PATIENCE_S = 0.0


@dataclass(slots=True)
class GatewayTransport:
    """Recall and nudges in process, from this replica's own pool; all else by raw actor handle.

    A hop through a Serve DeploymentHandle was three times slower than either (measured).
    """

    ray_transport: RayTransport
    search: Following[SearchParts]
    # It reads a whole board, and its thread takes the interpreter from the loop.
    comparing: Admission = field(
        default_factory=lambda: Admission("the comparing of findings", at_once=1)
    )

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the namespace's id, made on first use."""
        return await self.ray_transport.namespace_id(key)

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation."""
        return cast("R", await self._send(operation))

    async def _send(self, operation: Any) -> Any:
        match operation.wiring.place:
            case Place.SEARCH:
                return await self._search(operation)
            case Place.HOST if isinstance(operation, Query):
                # In a lane, others' operations would wait for a dear one.
                return await self.ray_transport.view(operation)
            case Place.COMPOSED if isinstance(operation, Suspect):
                async with self.comparing.turn(operation.owner.namespace_id):
                    return await suspect(self.send, operation)
            case Place.COMPOSED:
                return await COMPOSED[type(operation)](self.send, operation)
            case _:
                return await self.ray_transport.send(operation)

    async def _search(self, operation: Operation[Any]) -> Any:
        parts = await self.search.get()
        noted = operation.beside()
        if noted is None:
            return await parts.carry_out(operation)
        # The longer one first: it waits for the database while the note is sent.
        answer, _ = await asyncio.gather(parts.carry_out(operation), self.ray_transport.send(noted))
        return answer

    def submit(self, operation: Operation[R]) -> Any:
        """Start one operation alone; the gateway itself never does."""
        return self.ray_transport.submit(operation)

    async def aclose(self) -> None:
        """Release the pool and the embedder."""
        await self.ray_transport.aclose()
        await self.search.aclose()


@dataclass(slots=True)
class GatewayBackend:
    """What the routes need, from one running stack."""

    config: StackConfig
    topology: Topology
    model: RegisteredModel
    own_metrics: Metrics = field(default_factory=lambda: Metrics("gateway"))
    # They count all rows of a namespace: two at a time leave connections to searches.
    counting: Admission = field(default_factory=lambda: Admission("figures", at_once=2))
    transport: GatewayTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = GatewayTransport(
            RayTransport(self.topology, self.model, _PATIENCE_S), Following(self._open)
        )

    async def _open(self) -> SearchParts:
        parts = await SearchParts.open(self.config, name="pinak-ray gateway")
        self.model = self.transport.ray_transport.model = parts.model
        return parts

    @property
    def dimension(self) -> int:
        """That of the embedding model that serves."""
        return self.model.dimension

    async def public_keys(self) -> Mapping[str, PublicKey]:
        """Return the keys whose tokens may hold."""
        parts = await self.transport.search.get()
        async with parts.database.service() as connection:
            return await live_keys(connection)

    async def readiness(self) -> Mapping[str, str]:
        """Ask every part of the stack."""
        health = await self._health()
        return {name: str(said.get("error", "ok")) for name, said in health.items()}

    async def stats(self, namespace_id: int) -> Mapping[str, Any]:
        """Return the namespace's figures and the model that its vectors are of."""
        parts = await self.transport.search.get()
        model = {"name": self.model.name, "dimension": self.model.dimension}
        async with self.counting.turn(namespace_id):
            return {**await namespace_figures(parts.database, namespace_id), "model": model}

    async def versions(
        self, namespace_id: int, memory_id: UUID, *, limit: int, before: UUID | None
    ) -> History:
        """Return a memory and what superseded one another around it."""
        parts = await self.transport.search.get()
        return await versions_of(
            parts.database, namespace_id, memory_id, limit=limit, before=before
        )

    async def curation(self, namespace_id: int) -> Mapping[str, Any]:
        """Return what the Curator may do, what it last did, and how much it archived."""
        parts = await self.transport.search.get()
        last = await last_curation(parts.database, namespace_id)
        policy = asdict(self.config.curation)
        return {"policy": policy, "archived": last.archived, "last": orjson.Fragment(last.report)}

    async def curate(self, namespace_id: int, *, dry_run: bool) -> CurationReport:
        """Have the Curator make one pass over a namespace."""
        calls = ActorCalls(self.topology, _PATIENCE_S)
        report: CurationReport = await calls.once(
            CURATOR, lambda actor: actor.curate.remote(namespace_id, dry_run)
        )
        return report

    async def scratchpad_figures(self, namespace_id: int) -> Mapping[str, Any]:
        """Return what the scratchpads of the namespace hold, as committed."""
        parts = await self.transport.search.get()
        async with self.counting.turn(namespace_id):
            return await scratchpad_figures(parts.database, namespace_id)

    async def cache_figures(self) -> Mapping[str, Any]:
        """Return the figures of this replica's own cache of recall."""
        parts = await self.transport.search.get()
        return {"process": os.getpid(), **asdict(self.config.cache), **parts.search.figures()}

    async def metrics(self) -> Sequence[bytes]:
        """Return the other parts' numbers as Prometheus text, and bring our own up to date."""
        self.own_metrics.set_queue_depth("operations", self.transport.ray_transport.depth)
        search = self.transport.search.opened
        self.own_metrics.set_queue_depth("search", search.admission.waiting if search else 0)
        if search is not None:
            self.own_metrics.set_cache("recall", search.search.figures())
        texts = []
        for name, said in (await self._health()).items():
            if "queue_depth" in said:
                metrics = Metrics(name)
                metrics.set_queue_depth(name, int(said["queue_depth"]))
                metrics.set_delayed(delayed="delayed" in said)
                if "cache" in said:
                    metrics.set_cache("recall", said["cache"])
                texts.append(metrics.render())
        return texts

    async def _health(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
            health: Mapping[str, Mapping[str, Any]] = await supervisor.health.remote()
        except (ray.exceptions.RayError, ValueError) as error:
            raise Unavailable(f"the supervisor does not answer: {error!r}") from error
        return health


def build_app(config: StackConfig, topology: Topology, model: RegisteredModel) -> Starlette:
    """Return the application of one replica; its lifespan opens and closes what it owns."""
    configure_logs()
    backend = GatewayBackend(config, topology, model)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await backend.transport.search.get()
        try:
            yield
        finally:
            await backend.transport.aclose()

    return create_app(
        backend,
        metrics=backend.own_metrics,
        limits=_limits(config),
        names_answers=False,  # Serve appends `X-Request-Id` by itself: it would stand there twice
        lifespan=lifespan,
    )


def _limits(config: StackConfig) -> Limits:
    return Limits(max_requests=config.gateway_requests)


def gateway_application(
    config: StackConfig, topology: Topology, model: RegisteredModel, *, replicas: int
) -> Application:
    """Return the Serve application: `replicas` gateways behind Serve's proxy."""

    limits = _limits(config)
    at_once = limits.max_requests + limits.max_watchers + _PROBES

    # Serve asks inspect.isfunction: it would take a partial for the application itself.
    def build() -> Starlette:
        return build_app(config, topology, model)

    ingress = serve.ingress(build)()
    deployment: Any = serve.deployment(
        ingress,
        name=GATEWAY,
        num_replicas=replicas,
        max_ongoing_requests=at_once,
        max_queued_requests=at_once,
        backpressure_config=BackpressureConfig(retry_after_s=1),
        health_check_period_s=5,
        graceful_shutdown_timeout_s=5,
        # A line in Serve's log a request costs a third of the replica's time; /metrics counts them.
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
        ray_actor_options={"num_cpus": 0},
    )
    application: Application = deployment.bind()
    return application
