"""Operations over Ray: batched per writer and per host when awaited, one call each otherwise."""

import asyncio
import random
import weakref
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import orjson
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from pinak_ray.client.batching import Batcher
from pinak_ray.records.errors import Overloaded, PinakError, StaleEpoch, Unavailable
from pinak_ray.records.ids import NamespaceKey, uuid7
from pinak_ray.records.memories import Ack, Receipt
from pinak_ray.records.operations import HostOperation, Intend, Note, Operation, Recall, Remember
from pinak_ray.records.state import shard_of
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Topology
from pinak_ray.store.memories import Duplicate, EncodedMemory, encode_memory

__all__ = ["INTENT_KEY", "RayTransport", "intent_note"]

R = TypeVar("R")

# Ray puts arguments over 100 KB into the object store, which costs a batch about a millisecond.
# Rows have about 400 bytes, so 192 of them stay under it.
_WRITE_BATCH = 192
_HOST_BATCH = 128
# A killed process is back after about 2 s, a killed node's actor after 18 s (both measured).
_RETRY_WINDOW_S = 30.0
_CALL_TIMEOUT_S = 60.0

INTENT_KEY = "$intent"
"""The working item that holds an agent's current intent; user keys cannot start with `$`."""

_LOST = (ActorUnavailableError, ActorDiedError, ConnectionError)


@dataclass(slots=True)
class _Lanes:
    """The batchers of one event loop."""

    writers: dict[str, Batcher[EncodedMemory]] = field(default_factory=dict)
    hosts: dict[str, Batcher[HostOperation]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class RayTransport:
    """Finds actors by name, so that any process of the cluster can use it; pickles by value."""

    topology: Topology
    model_id: int
    _handles: dict[str, Any] = field(default_factory=dict)
    _lanes: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lanes]" = field(
        default_factory=weakref.WeakKeyDictionary
    )
    # A weak dictionary's look-up costs more than all else of a put; a process has mostly one loop.
    _latest: tuple[asyncio.AbstractEventLoop | None, _Lanes] = field(
        default_factory=lambda: (None, _Lanes())
    )

    def __reduce__(self) -> tuple[Any, ...]:
        return RayTransport, (self.topology, self.model_id)

    async def namespace_id(self, key: NamespaceKey) -> int:
        """Return the namespace's id, made on first use."""
        return int(await self._actor(SUPERVISOR).namespace_id.remote(key))

    async def send(self, operation: Operation[R]) -> R:
        """Carry out one operation; see Transport.send for what it raises."""
        return cast("R", await self._send(operation))

    async def _send(self, operation: Any) -> Any:
        match operation:
            case Remember():
                return await self._remember(operation)
            case Recall():
                return await self._search("recall", operation)
            case Intend():
                _, nudges = await asyncio.gather(
                    self._on_host(intent_note(operation)), self._search("intend", operation)
                )
                return nudges
            case _:
                return await self._on_host(operation)

    def submit(self, operation: Any) -> Any:
        """Start one operation alone and return its ObjectRef."""
        match operation:
            case Remember():
                writer = self._actor(self._writer_of(operation))
                return writer.write_one.remote(self._encode(operation), operation.ack)
            case Recall():
                return self._actor(self._recaller()).recall.remote(operation)
            case Intend():
                note = intent_note(operation)
                self._actor(self._host_of(note)).apply_one.remote(note)
                return self._actor(self._recaller()).intend.remote(operation)
            case _:
                return self._actor(self._host_of(operation)).apply_one.remote(operation)

    async def aclose(self) -> None:
        """Forget the batchers; what was sent goes on."""
        self._lanes.clear()
        self._latest = (None, _Lanes())

    def _actor(self, name: str) -> Any:
        handle = self._handles.get(name)
        if handle is None:
            try:
                handle = ray.get_actor(name, namespace=RAY_NAMESPACE)
            except ValueError as error:
                raise Unavailable(f"the actor {name!r} does not exist (yet)") from error
            self._handles[name] = handle
        return handle

    def _writer_of(self, operation: Remember) -> str:
        """One agent's memories always take the same writer."""
        writers = self.topology.writers
        if len(writers) == 1:
            return writers[0]
        return writers[zlib.crc32(operation.memory.agent.encode()) % len(writers)]

    def _host_of(self, operation: HostOperation) -> str:
        return self.topology.host_of(shard_of(operation.owner))

    def _recaller(self) -> str:
        return random.choice(self.topology.recallers)  # noqa: S311 - load spreading

    def _encode(self, operation: Remember) -> EncodedMemory:
        return encode_memory(operation.memory, model_id=self.model_id)

    def _lanes_here(self) -> _Lanes:
        loop = asyncio.get_running_loop()
        if loop is not self._latest[0]:
            self._latest = (loop, self._lanes.setdefault(loop, _Lanes()))
        return self._latest[1]

    async def _remember(self, operation: Remember) -> Receipt:
        lanes = self._lanes_here().writers
        name = self._writer_of(operation)
        batcher = lanes.get(name)
        if batcher is None:
            batcher = lanes[name] = Batcher(
                lambda batch: self._write(name, batch), max_batch=_WRITE_BATCH, max_in_flight=1
            )
        future = batcher.put(self._encode(operation))
        memory_id = operation.memory.id
        if operation.ack is Ack.ACCEPTED:
            future.add_done_callback(_retrieve)
            return Receipt(memory_id, Ack.ACCEPTED)
        new = await future
        if operation.ack is Ack.SEARCHABLE:
            await self._await_searchable(operation)
        return Receipt(memory_id, operation.ack, new)

    async def _write(self, name: str, batch: Sequence[EncodedMemory]) -> Sequence[Any]:
        rows = [memory.row for memory in batch]
        vectors = {i: m.vector_row for i, m in enumerate(batch) if m.vector_row is not None} or None
        fates = await self._retried(name, lambda actor: actor.write.remote(rows, vectors))
        if fates is None:
            return [True] * len(batch)
        return [_news(fates.get(index)) for index in range(len(batch))]

    async def _await_searchable(self, operation: Remember) -> None:
        key = (operation.memory.namespace_id, operation.memory.id)
        indexer = random.choice(self.topology.indexers)  # noqa: S311 - load spreading
        await self._retried(indexer, lambda actor: actor.searchable.remote([key]))

    async def _on_host(self, operation: HostOperation) -> Any:
        lanes = self._lanes_here().hosts
        name = self._host_of(operation)
        batcher = lanes.get(name)
        if batcher is None:
            # One batch in flight: operations arrive in the order their caller issued them.
            batcher = lanes[name] = Batcher(
                lambda batch: self._apply(name, batch), max_batch=_HOST_BATCH, max_in_flight=1
            )
        return await batcher.put(operation)

    async def _apply(self, name: str, batch: Sequence[HostOperation]) -> Sequence[Any]:
        results = list(await self._retried(name, lambda actor: actor.apply.remote(batch)))
        stale = [i for i, result in enumerate(results) if isinstance(result, StaleEpoch)]
        if stale:
            # The host has restarted under a new epoch, or is about to; the same ids, once more.
            again = await self._retried(
                name, lambda actor: actor.apply.remote([batch[i] for i in stale])
            )
            for index, result in zip(stale, again, strict=True):
                results[index] = result
        return results

    async def _search(self, method: str, operation: Recall | Intend) -> Any:
        return await self._retried(
            self._recaller(), lambda actor: getattr(actor, method).remote(operation)
        )

    async def _retried(self, name: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        """Call an actor; while its process or node is being replaced, call again, unchanged."""
        try:
            return await self._call(name, call)
        except (*_LOST, Overloaded, Unavailable):
            self._handles.pop(name, None)  # it may be made anew
        return await self._call_again(name, call)

    async def _call_again(self, name: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            async for attempt in AsyncRetrying(
                stop=stop_after_delay(_RETRY_WINDOW_S),
                wait=wait_exponential(multiplier=0.05, max=1.0) + wait_random(0, 0.05),
                retry=retry_if_exception_type((*_LOST, Overloaded, Unavailable)),
                reraise=True,
            ):
                with attempt:
                    self._handles.pop(name, None)
                    return await self._call(name, call)
        except _LOST as error:
            raise Unavailable(f"{name} did not come back in {_RETRY_WINDOW_S:.0f} s") from error

    async def _call(self, name: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                return await _unwrapped(call(self._actor(name)))
        except TimeoutError as error:
            raise Unavailable(f"{name} did not answer in {_CALL_TIMEOUT_S:.0f} s") from error


async def _unwrapped(call: Awaitable[Any]) -> Any:
    """Await an actor call; its own PinakError comes out as itself, without Ray's wrapping."""
    try:
        return await call
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, PinakError):
            raise cause from None
        raise


def _news(fate: Any) -> Any:
    if fate is None:
        return True
    return False if isinstance(fate, Duplicate) else fate


def _retrieve(future: "asyncio.Future[Any]") -> None:
    """Mark the outcome of an `accepted` write as seen: its caller chose not to wait for it."""
    if not future.cancelled():
        future.exception()


def intent_note(operation: Intend) -> Note:
    """Return the working item that records what the agent is about to do."""
    value = orjson.dumps({"text": operation.intent.text, "tool": operation.intent.tool})
    return Note(operation.owner, INTENT_KEY, value, uuid7(), ttl_s=3600.0, ack=Ack.ACCEPTED)
