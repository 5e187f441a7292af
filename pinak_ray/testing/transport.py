"""The third wire beside Ray and HTTP: operations stay in the process."""

import asyncio
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, TypeVar, cast
from uuid import UUID, uuid4

from pinak_ray.agents.host import Host
from pinak_ray.composed.table import COMPOSED
from pinak_ray.concurrency.batching import Batcher
from pinak_ray.embedding import Embedder
from pinak_ray.recall.reranking import Reranker
from pinak_ray.records.errors import InvalidInput, NotRunning
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.memories import Ack, Receipt
from pinak_ray.records.operations import ChangeLink, Forget, HostOperation, Remember, Revise
from pinak_ray.records.topology import Placement
from pinak_ray.records.wiring import Operation, Place
from pinak_ray.testing.memories import LocalMemories
from pinak_ray.testing.search import LocalSearch
from pinak_ray.testing.state import LocalState

__all__ = ["LocalTransport"]

R = TypeVar("R")

_BATCH = 128


@dataclass(slots=True, eq=False, weakref_slot=True)
class LocalTransport:
    """One stack's worth of state: a host over a dictionary, and memories searched one by one.

    Pickles by name: within this process a copy of a handle leads to the same agent.
    """

    embedder: Embedder
    clock: Callable[[], datetime]
    zone: tzinfo
    reranker: Reranker | None = None
    _name: UUID = field(default_factory=uuid4)
    _namespaces: dict[NamespaceKey, int] = field(default_factory=dict)
    _host: Host = field(init=False)
    _search: LocalSearch = field(init=False)
    # One batch in flight, as over Ray: operations apply in the order their caller issued them.
    _batchers: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Batcher[HostOperation]]" = (
        field(default_factory=weakref.WeakKeyDictionary)
    )

    def __post_init__(self) -> None:
        alone = Placement(1, ("local",))
        self._host = Host(LocalState(), alone, alone.shards_of("local"), self.clock)
        self._search = LocalSearch(
            LocalMemories(self.embedder, self.clock), self.zone, self.reranker
        )
        _open[self._name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _transport_named, (self._name,)

    def id_of(self, key: NamespaceKey) -> int:
        """Return the namespace's id, made on first use."""
        return self._namespaces.setdefault(key, len(self._namespaces) + 1)

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the namespace's id, made on first use."""
        return self.id_of(key)

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation; raises its own PinakError."""
        return cast("R", await self._send(operation))

    async def _send(self, operation: Any) -> Any:
        match operation.wiring.place:
            case Place.HOST:
                return await self._on_host(operation)
            case Place.WRITER:
                return await getattr(self, f"_{operation.wiring.call}")(operation)
            case Place.SEARCH:
                noted = operation.beside()
                if noted is not None:
                    await self._on_host(noted)
                return await self._search.carry_out(operation)
            case Place.BESIDE:
                return await self._host.watch(operation)
            case Place.COMPOSED:
                return await COMPOSED[type(operation)](self.send, operation)
            case _:
                raise InvalidInput(f"{type(operation).__name__} needs Ray; a LocalSwarm has none")

    def submit(self, operation: Operation[R]) -> Any:
        """There is no Ray here: raises InvalidInput that says what to write instead."""
        raise InvalidInput(
            f".remote() needs Ray; with LocalSwarm write `await` for {type(operation).__name__}"
        )

    async def aclose(self) -> None:
        """Let all agents go, as an idle host would; what was acknowledged stays."""
        await self._host.aclose()

    async def _remember(self, operation: Remember) -> Receipt:
        committed = operation.committed()
        memory, ack = committed.memory, committed.ack
        held = self._search.memories.add(memory)
        for standing in await self._search.standing.told_of(memory) if held is None else ():
            await self._on_host(standing.post())
        if ack is Ack.ACCEPTED:
            return Receipt(memory.id, ack)  # given out before anyone can know whether it is new
        if ack is Ack.SEARCHABLE:
            await self._search.memories.embed(memory.namespace_id)
        return Receipt(held or memory.id, ack, held is None)

    async def _revise(self, operation: Revise) -> Receipt:
        revision, ack = operation.revision, operation.ack
        id_, new = self._search.memories.revise(revision)
        if ack is Ack.SEARCHABLE:
            await self._search.memories.embed(revision.memory.namespace_id)
        return Receipt(id_, Ack.DURABLE if ack is Ack.ACCEPTED else ack, new)

    async def _forget(self, operation: Forget) -> Receipt:
        new = self._search.memories.forget(operation.owner.namespace_id, operation.memory_id)
        return Receipt(operation.memory_id, Ack.DURABLE, new)

    async def _change_link(self, operation: ChangeLink) -> Receipt:
        return self._search.links.change(operation)

    async def _on_host(self, operation: HostOperation) -> Any:
        loop = asyncio.get_running_loop()
        batcher = self._batchers.get(loop)
        if batcher is None:
            batcher = self._batchers[loop] = Batcher(self._apply, _BATCH)
        return await batcher.put(operation)

    async def _apply(self, batch: Sequence[HostOperation]) -> Sequence[Any]:
        return await self._host.apply(batch)


_open: "weakref.WeakValueDictionary[UUID, LocalTransport]" = weakref.WeakValueDictionary()


def _transport_named(name: UUID) -> LocalTransport:
    transport = _open.get(name)
    if transport is None:
        raise NotRunning("a LocalSwarm lives in the process that made it, and only there")
    return transport
