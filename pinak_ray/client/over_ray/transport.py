"""Operations over Ray: batched per writer and per host when awaited, one call each otherwise."""

import asyncio
import threading
import weakref
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import ray

from pinak_ray.client.over_ray.actor_calls import RETRY_WINDOW_S, ActorCalls
from pinak_ray.client.over_ray.beside_lanes import poll, view
from pinak_ray.client.over_ray.lanes import (
    HostLanes,
    forget_idle,
    indexer_lane,
    link_lane,
    writer_lane,
)
from pinak_ray.client.over_ray.session import ray_session
from pinak_ray.composed.table import COMPOSED
from pinak_ray.concurrency.batching import Batcher
from pinak_ray.concurrency.single_flight import SingleFlight
from pinak_ray.embedding import halfvec_dimension
from pinak_ray.records.errors import WrongDimension
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.links import LinkChange
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import (
    ChangeLink,
    Forget,
    HostOperation,
    Origin,
    Query,
    Remember,
    Revise,
    Watch,
    WatchPage,
)
from pinak_ray.records.topology import SUPERVISOR, Topology
from pinak_ray.records.wiring import Operation, Place
from pinak_ray.store.memories.memories import Duplicate, EncodedMemory, encode_memory
from pinak_ray.store.models.embedding_models import RegisteredModel

__all__ = ["RayTransport"]

R = TypeVar("R")


@dataclass(slots=True)
class _Lanes:
    """The lanes of one event loop; a namespace's writes wait for no other one's in a Writer."""

    hosts: HostLanes
    writers: dict[tuple[str, int, bool], Batcher[EncodedMemory]] = field(default_factory=dict)
    indexers: dict[str, Batcher[tuple[int, UUID]]] = field(default_factory=dict)
    links: dict[tuple[str, int], Batcher[LinkChange]] = field(default_factory=dict)
    # Watchers of one log are mostly at the same place in it: 64 of them in four processes cost four
    # calls a page instead of 64.
    polls: SingleFlight[Watch, WatchPage] = field(default_factory=SingleFlight)


class RayTransport:
    """Finds actors by name, so that any process of the cluster can use it; pickles by value."""

    def __init__(
        self, topology: Topology, model: RegisteredModel, patience_s: float = RETRY_WINDOW_S
    ) -> None:
        """`patience_s` is how long a full queue is waited for before its Overloaded is raised.

        `model` is the one that callers' vectors are of.
        """
        self._calls = ActorCalls(topology, patience_s)
        self.model = model
        self._turns = _Turns()
        self._lanes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lanes] = (
            weakref.WeakKeyDictionary()
        )
        # A weak dictionary's look-up costs more than all else of a put, and a process has mostly
        # one loop.
        self._latest: tuple[asyncio.AbstractEventLoop | None, _Lanes | None] = (None, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return RayTransport, (self.topology, self.model, self._calls.patience_s)

    @property
    def topology(self) -> Topology:
        """Where the parts are, as far as this process knows."""
        return self._calls.topology

    @property
    def depth(self) -> int:
        """How many operations wait in this process for their batch to leave."""
        return sum(
            lanes.hosts.depth
            + sum(lane.depth for lane in lanes.writers.values())
            + sum(lane.depth for lane in lanes.links.values())
            for lanes in self._lanes.values()
        )

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the namespace's id, made on first use."""
        return int(
            await self._calls.retried(SUPERVISOR, lambda actor: actor.namespace_id.remote(key))
        )

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation; see Transport.send for what it raises."""
        sent: Any = operation
        place = sent.wiring.place
        # First: working memory has the most operations by far.
        if place is Place.HOST:
            return cast("R", await self._on_host(sent))
        match place:
            case Place.WRITER:
                answer: Any = await self._write(sent)
            case Place.SEARCH:
                answer = await self._search(sent)
            case Place.BESIDE:
                polls = self._lanes_here().polls
                answer = await polls.run(sent, lambda: poll(self._calls, sent))
            case Place.SUPERVISOR:
                answer = await self._retried(SUPERVISOR, sent)
            case _:
                answer = await COMPOSED[type(sent)](self.send, sent)
        return cast("R", answer)

    async def view(self, query: Query[R]) -> R:
        """Read one view beside the lanes: in no order with what was sent before and not awaited."""
        return cast("R", await view(self._calls, query))

    def submit(self, operation: Any) -> Any:
        """Start one operation alone and return its ObjectRef."""
        match operation.wiring.place:
            case Place.WRITER:
                return self._submit_write(operation)
            case Place.SEARCH:
                noted = operation.beside()
                if noted is not None:
                    self._submit_to_host(noted)
                recaller = self._calls.actor(self._calls.any_of(self.topology.recallers))
                return recaller.search.remote(operation)
            case Place.BESIDE:
                host = self.topology.placement.host_of(operation.owner)
                return self._calls.actor(host).watch.remote(operation)
            case Place.SUPERVISOR:
                return self._calls.actor(SUPERVISOR).dedicate.remote(operation)
            case Place.COMPOSED:
                ray_session()
                return _carried_out.remote(self, operation)
            case _:
                return self._submit_to_host(operation)

    async def aclose(self) -> None:
        """Forget the lanes; what was sent goes on."""
        self._lanes.clear()
        self._latest = (None, None)

    def _submit_to_host(self, operation: HostOperation) -> Any:
        host = self.topology.placement.host_of(operation.owner)
        actor = self._calls.actor(host)
        with self._turns.lock:
            return actor.apply_one.remote(operation, self._turns.next(host))

    async def _write(self, operation: Remember | ChangeLink | Revise | Forget) -> Receipt:
        match operation:
            case Remember():
                return await self._remember(operation)
            case ChangeLink():
                return await self._change_link(operation)
            case _:
                writer, *arguments = self._change(operation)
                receipt: Receipt = await self._retried(writer, operation, *arguments)
                return receipt

    def _submit_write(self, operation: Remember | ChangeLink | Revise | Forget) -> Any:
        match operation:
            case Remember():
                writer = self._calls.actor(self._writer_of(operation.memory.agent))
                return writer.write_one.remote(self._encode(operation), operation.committed().ack)
            case ChangeLink():
                writer = self._calls.actor(self._writer_of_link(operation.change))
                return writer.change_link.remote(operation)
            case _:
                name, *arguments = self._change(operation)
                method = getattr(self._calls.actor(name), operation.wiring.call)
                return method.remote(operation, *arguments)

    def _change(self, operation: Revise | Forget) -> tuple[Any, ...]:
        """Return which writer changes a stored memory, and what it needs beside the operation."""
        if isinstance(operation, Revise):
            memory = operation.revision.memory
            return self._writer_of(memory.agent), self._model_of(memory.vector)
        return (self._writer_of(operation.owner.name),)

    async def _retried(self, name: str, operation: Operation[Any], *arguments: Any) -> Any:
        method = operation.wiring.call
        return await self._calls.retried(
            name, lambda actor: getattr(actor, method).remote(operation, *arguments)
        )

    def _writer_of(self, agent: str) -> str:
        """One agent's memories always take the same writer."""
        writers = self.topology.writers
        if len(writers) == 1:
            return writers[0]
        return writers[zlib.crc32(agent.encode()) % len(writers)]

    def _encode(self, operation: Remember) -> EncodedMemory:
        memory = operation.memory
        return encode_memory(memory, model_id=self._model_of(memory.vector))

    def _model_of(self, vector: bytes | None) -> int:
        """Return the id of the model that a caller's vector is of; raises WrongDimension."""
        model = self.model
        if vector is not None and halfvec_dimension(vector) != model.dimension:
            # Checked before, but a switch may have come between.
            raise WrongDimension(f"{model.name} has {model.dimension} numbers; connect again")
        return model.id

    def _lanes_here(self) -> _Lanes:
        loop = asyncio.get_running_loop()
        latest, lanes = self._latest
        if lanes is None or loop is not latest:
            lanes = self._lanes.get(loop)
            if lanes is None:
                for ended in [each for each in list(self._lanes) if each.is_closed()]:
                    self._lanes.pop(ended, None)  # what was cut off in it may still name it
                hosts = HostLanes(self._calls, self.topology.placement)
                lanes = self._lanes[loop] = _Lanes(hosts)
            self._latest = (loop, lanes)
        return lanes

    async def _remember(self, operation: Remember) -> Receipt:
        lanes = self._lanes_here().writers
        committed = operation.committed()
        memory, ack = committed.memory, committed.ack
        durable = ack is not Ack.ACCEPTED
        name = self._writer_of(memory.agent), memory.namespace_id, durable
        lane = lanes.get(name)
        if lane is None:
            forget_idle(lanes)
            lane = lanes[name] = writer_lane(self._calls, name[0], durable=durable)
        held: Duplicate | None = await lane.put(self._encode(operation))
        id_ = memory.id if held is None or held.id is None else held.id
        if ack is Ack.SEARCHABLE:
            await self._await_searchable(memory.namespace_id, id_)
        return Receipt(id_, ack, held is None)

    def _writer_of_link(self, change: LinkChange) -> str:
        """One link's changes always take the same writer, which has them in line."""
        writers = self.topology.writers
        return writers[change.from_id.int % len(writers)]

    async def _change_link(self, operation: ChangeLink) -> Receipt:
        lanes = self._lanes_here().links
        name = self._writer_of_link(operation.change), operation.change.namespace_id
        lane = lanes.get(name)
        if lane is None:
            forget_idle(lanes)
            lane = lanes[name] = link_lane(self._calls, name[0])
        return Receipt(operation.change.id, operation.ack, await lane.put(operation.change))

    async def _await_searchable(self, namespace_id: int, memory_id: UUID) -> None:
        lanes = self._lanes_here().indexers
        name = self._calls.any_of(self.topology.indexers)
        lane = lanes.get(name)
        if lane is None:
            lane = lanes[name] = indexer_lane(self._calls, name)
        await lane.put((namespace_id, memory_id))

    def _on_host(self, operation: HostOperation) -> "asyncio.Future[Any]":
        lanes = self._lanes_here()
        placement = self.topology.placement
        if lanes.hosts.placement is not placement:
            lanes.hosts = HostLanes(self._calls, placement, before=lanes.hosts)
        return lanes.hosts.put(operation)

    async def _search(self, operation: Operation[Any]) -> Any:
        recaller = self._calls.any_of(self.topology.recallers)
        searching = self._calls.retried(recaller, lambda actor: actor.search.remote(operation))
        noted: Any = operation.beside()
        if noted is None:
            return await searching
        _, answer = await asyncio.gather(self._on_host(noted), searching)
        return answer


@dataclass(slots=True)
class _Turns:
    """Numbers the calls that are sent alone, host by host, so that a host can keep their order."""

    lane: UUID = field(default_factory=uuid4)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _sent: "defaultdict[str, int]" = field(default_factory=lambda: defaultdict(int))

    def next(self, host: str) -> Origin:
        self._sent[host] += 1
        return Origin(self.lane, self._sent[host])


# A verb of several operations needs a process of its own to be awaited by an ObjectRef.
@ray.remote(num_cpus=0, max_retries=0)
def _carried_out(transport: RayTransport, operation: Any) -> Any:
    return asyncio.run(transport.send(operation))
