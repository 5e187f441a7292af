"""Calls of actors by name: with a time limit, and again while a process or node is replaced."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay

from pinak_ray.client.over_ray.session import ray_session
from pinak_ray.concurrency.backoff import backoff
from pinak_ray.records.errors import (
    DatabaseUnavailable,
    EmbedderUnavailable,
    NotRunning,
    Overloaded,
    PinakError,
    Unavailable,
)
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Topology

__all__ = ["RETRY_WINDOW_S", "ActorCalls", "passes"]

# A killed process is back after about 2 s, a killed node's actor after 18 s (both measured).
RETRY_WINDOW_S = 30.0
# A part has tried a database that says no by itself, and a gateway has 30 s
# (`serve.context.Deadlines.write_s`): the caller is to hear the cause, and not that time is up.
_DATABASE_WINDOW_S = 25.0
_CALL_TIMEOUT_S = 60.0
_FIRST_BACKOFF_S = 0.02
_LAST_BACKOFF_S = 1.0
# A call that takes longer than any commit may wait for a host that was replaced meanwhile.
_WONDER_AFTER_S = 3.0

_LOST = (ActorUnavailableError, ActorDiedError, ConnectionError)


def passes(error: object, waited_s: float, patience_s: float) -> bool:
    """Tell whether what was refused so is to be sent again, unchanged, after so long."""
    if isinstance(error, Overloaded):
        return waited_s < patience_s
    if isinstance(error, DatabaseUnavailable):
        return waited_s < _DATABASE_WINDOW_S
    # This process is not in Ray, and stays so; an endpoint is asked by its own process.
    if isinstance(error, NotRunning | EmbedderUnavailable):
        return False
    return isinstance(error, Unavailable) and waited_s < RETRY_WINDOW_S


@dataclass(slots=True, eq=False)
class ActorCalls:
    """One process's handles and its copy of the topology."""

    topology: Topology
    patience_s: float = RETRY_WINDOW_S
    """How long a full queue is waited for before its Overloaded is raised."""
    _handles: dict[str, Any] = field(default_factory=dict)
    _session: object = None
    _wondered_at: float = -math.inf

    def actor(self, name: str) -> Any:
        """Return the handle of this actor; raises Unavailable while it does not exist.

        Raises NotRunning where this process has not joined the stack.
        """
        session = ray_session()
        if session is not self._session:  # Ray was left and joined again
            self._handles.clear()
            self._session = session
        handle = self._handles.get(name)
        if handle is None:
            try:
                handle = ray.get_actor(name, namespace=RAY_NAMESPACE)
            except ValueError as error:
                raise Unavailable(f"the actor {name!r} does not exist (yet)") from error
            self._handles[name] = handle
        return handle

    def any_of(self, names: tuple[str, ...]) -> str:
        """Return one of these names, by chance: load spreading."""
        return names[0] if len(names) == 1 else random.choice(names)  # noqa: S311

    async def refresh(self) -> None:
        """Ask the supervisor where the parts are now; if it does not answer, nothing changes."""
        try:
            answer = await self.once(SUPERVISOR, lambda actor: actor.topology.remote())
        except NotRunning:
            raise
        except Unavailable:
            return
        if answer.placement.version > self.topology.placement.version:
            self.topology = answer

    async def once(self, name: str, call: Callable[[Any], Any]) -> Any:
        """Call an actor one time.

        Raises the actor's own PinakError, and Unavailable when its process was lost, when it did
        not answer in time, or when it was replaced while it did not answer.
        """
        waited = 0.0
        try:
            answer = asyncio.wrap_future(call(self.actor(name)).future())
            # Nobody may be left to hear how it ended, and asyncio would complain of that.
            answer.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            while True:
                await asyncio.wait({answer}, timeout=_WONDER_AFTER_S)
                if answer.done():
                    return answer.result()
                waited += _WONDER_AFTER_S
                if waited >= _CALL_TIMEOUT_S or await self._is_replaced(name):
                    raise Unavailable(f"{name} did not answer in {waited:.0f} s")
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, PinakError):
                raise cause from None  # without Ray's wrapping
            raise
        except _LOST as error:
            self._handles.pop(name, None)  # it may be made anew
            raise Unavailable(f"{name} was lost: {error!r}") from error

    async def retried(self, name: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        """Call an actor; while it is being replaced or is overloaded, call again, unchanged."""
        started = asyncio.get_running_loop().time()

        def again(error: BaseException) -> bool:
            return passes(error, asyncio.get_running_loop().time() - started, self.patience_s)

        pauses = backoff(_FIRST_BACKOFF_S, _LAST_BACKOFF_S, spread=0.5)
        retrying = AsyncRetrying(
            stop=stop_after_delay(RETRY_WINDOW_S),
            wait=lambda _: next(pauses),
            retry=retry_if_exception(again),
            reraise=True,
        )
        return await retrying(self.once, name, call)

    async def _is_replaced(self, name: str) -> bool:
        hosts = self.topology.placement.all_hosts
        if name not in hosts:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._wondered_at >= _WONDER_AFTER_S:  # a thousand watchers may wait at once
            self._wondered_at = now
            await self.refresh()
        return name not in self.topology.placement.all_hosts
