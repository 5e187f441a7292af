"""Operations over Ray: batched per writer and per host when awaited, one call each otherwise."""

import asyncio
import threading
import weakref
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

import orjson

from pinak_ray.client.actor_calls import RETRY_WINDOW_S, ActorCalls
from pinak_ray.client.batching import Batcher
from pinak_ray.client.lanes import HostLanes, indexer_lane, writer_lane
from pinak_ray.records.ids import NamespaceKey, uuid7
from pinak_ray.records.memories import Ack, Receipt
from pinak_ray.records.operations import (
    Dedicate,
    HostOperation,
    Intend,
    Note,
    Operation,
    Origin,
    Recall,
    Remember,
)
from pinak_ray.records.topology import SUPERVISOR, Topology
from pinak_ray.store.memories import EncodedMemory, encode_memory

__all__ = ["INTENT_KEY", "RayTransport", "intent_note"]

R = TypeVar("R")

INTENT_KEY = "$intent"
"""The working item that holds an agent's current intent; user keys cannot start with `$`."""


@dataclass(slots=True)
class _Lanes:
    """The lanes of one event loop."""

    hosts: HostLanes
    writers: dict[tuple[str, bool], Batcher[EncodedMemory]] = field(default_factory=dict)
    indexers: dict[str, Batcher[tuple[int, UUID]]] = field(default_factory=dict)


class RayTransport:
    """Finds actors by name, so that any process of the cluster can use it; pickles by value."""

    def __init__(
        self, topology: Topology, model_id: int, patience_s: float = RETRY_WINDOW_S
    ) -> None:
        """`patience_s` is how long a full queue is waited for before its Overloaded is raised."""
        self._calls = ActorCalls(topology, patience_s)
        self._model_id = model_id
        self._turns = _Turns()
        self._lanes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lanes] = (
            weakref.WeakKeyDictionary()
        )
        # A weak dictionary's look-up costs more than all else of a put, and a process has mostly
        # one loop.
        self._latest: tuple[asyncio.AbstractEventLoop | None, _Lanes | None] = (None, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return RayTransport, (self.topology, self._model_id, self._calls.patience_s)

    @property
    def topology(self) -> Topology:
        """Where the parts are, as far as this process knows."""
        return self._calls.topology

    @property
    def depth(self) -> int:
        """How many operations wait in this process for their batch to leave."""
        return sum(
            lanes.hosts.depth + sum(lane.depth for lane in lanes.writers.values())
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
        match sent:
            case Remember():
                answer: Any = await self._remember(sent)
            case Recall():
                answer = await self._search("recall", sent)
            case Intend():
                _, answer = await asyncio.gather(
                    self._on_host(intent_note(sent)), self._search("intend", sent)
                )
            case Dedicate():
                answer = await self._calls.retried(
                    SUPERVISOR, lambda actor: actor.dedicate.remote(*sent)
                )
            case _:
                answer = await self._on_host(sent)
        return cast("R", answer)

    def submit(self, operation: Any) -> Any:
        """Start one operation alone and return its ObjectRef."""
        match operation:
            case Remember():
                writer = self._calls.actor(self._writer_of(operation))
                return writer.write_one.remote(self._encode(operation), operation.ack)
            case Recall():
                return self._recaller().recall.remote(operation)
            case Intend():
                self._submit_to_host(intent_note(operation))
                return self._recaller().intend.remote(operation)
            case Dedicate():
                return self._calls.actor(SUPERVISOR).dedicate.remote(*operation)
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

    def _recaller(self) -> Any:
        return self._calls.actor(self._calls.any_of(self.topology.recallers))

    def _writer_of(self, operation: Remember) -> str:
        """One agent's memories always take the same writer."""
        writers = self.topology.writers
        if len(writers) == 1:
            return writers[0]
        return writers[zlib.crc32(operation.memory.agent.encode()) % len(writers)]

    def _encode(self, operation: Remember) -> EncodedMemory:
        return encode_memory(operation.memory, model_id=self._model_id)

    def _lanes_here(self) -> _Lanes:
        loop = asyncio.get_running_loop()
        latest, lanes = self._latest
        if lanes is None or loop is not latest:
            lanes = self._lanes.get(loop)
            if lanes is None:
                hosts = HostLanes(self._calls, self.topology.placement)
                lanes = self._lanes[loop] = _Lanes(hosts)
            self._latest = (loop, lanes)
        return lanes

    async def _remember(self, operation: Remember) -> Receipt:
        lanes = self._lanes_here().writers
        durable = operation.ack is not Ack.ACCEPTED
        name = self._writer_of(operation), durable
        lane = lanes.get(name)
        if lane is None:
            lane = lanes[name] = writer_lane(self._calls, name[0], durable=durable)
        new = await lane.put(self._encode(operation))
        if operation.ack is Ack.SEARCHABLE:
            await self._await_searchable(operation)
        return Receipt(operation.memory.id, operation.ack, new)

    async def _await_searchable(self, operation: Remember) -> None:
        lanes = self._lanes_here().indexers
        name = self._calls.any_of(self.topology.indexers)
        lane = lanes.get(name)
        if lane is None:
            lane = lanes[name] = indexer_lane(self._calls, name)
        await lane.put((operation.memory.namespace_id, operation.memory.id))

    def _on_host(self, operation: HostOperation) -> "asyncio.Future[Any]":
        lanes = self._lanes_here()
        placement = self.topology.placement
        if lanes.hosts.placement is not placement:
            lanes.hosts = HostLanes(self._calls, placement, before=lanes.hosts)
        return lanes.hosts.put(operation)

    async def _search(self, method: str, operation: Recall | Intend) -> Any:
        recaller = self._calls.any_of(self.topology.recallers)
        return await self._calls.retried(
            recaller, lambda actor: getattr(actor, method).remote(operation)
        )


@dataclass(slots=True)
class _Turns:
    """Numbers the calls that are sent alone, host by host, so that a host can keep their order."""

    lane: UUID = field(default_factory=uuid4)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _sent: "defaultdict[str, int]" = field(default_factory=lambda: defaultdict(int))

    def next(self, host: str) -> Origin:
        self._sent[host] += 1
        return Origin(self.lane, self._sent[host])


def intent_note(operation: Intend) -> Note:
    """Return the working item that records what the agent is about to do."""
    value = orjson.dumps({"text": operation.intent.text, "tool": operation.intent.tool})
    return Note(operation.owner, INTENT_KEY, value, uuid7(), ttl_s=3600.0, ack=Ack.ACCEPTED)
