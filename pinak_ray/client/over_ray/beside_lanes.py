"""Calls of an owner's host that take long, beside the lanes: nothing else waits behind them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray

from pinak_ray.client.over_ray.actor_calls import RETRY_WINDOW_S, ActorCalls
from pinak_ray.concurrency.backoff import backoff
from pinak_ray.records.errors import NotRunning, Overloaded, Unavailable
from pinak_ray.records.operations import Query, Watch, WatchPage
from pinak_ray.records.state.owners import Owner

__all__ = ["poll", "view"]

_FIRST_BACKOFF_S = 0.02
# A killed process is back after two seconds: a longer wait would be most of what a caller sees.
_LAST_BACKOFF_S = 0.3


async def poll(calls: ActorCalls, watch: Watch) -> WatchPage:
    """Return a watcher's next page, asked for again from the same cursor; raises as `_asked`."""
    page: WatchPage = await _asked(calls, watch.owner, lambda host: host.watch.remote(watch))
    return page


async def view(calls: ActorCalls, query: Query[Any]) -> Any:
    """Return one view of an owner; raises as `_asked`, and what the view raises."""
    return await _asked(calls, query.owner, lambda host: host.apply_one.remote(query))


async def _asked(calls: ActorCalls, owner: Owner, ask: Callable[[Any], Any]) -> Any:
    """Return the answer of the owner's host, asked again while that is replaced.

    Raises Unavailable after RETRY_WINDOW_S without an answer, Overloaded after `patience_s`.
    """
    clock = asyncio.get_running_loop().time
    failing_since: float | None = None
    pauses = backoff(_FIRST_BACKOFF_S, _LAST_BACKOFF_S, spread=0.5)
    while True:
        try:
            return await _asked_once(calls, owner, ask)
        except NotRunning:
            raise
        except Unavailable as error:
            patience_s = RETRY_WINDOW_S
            failure: Unavailable | Overloaded = error
        except Overloaded as error:
            patience_s = calls.patience_s
            failure = error
        failing_since = clock() if failing_since is None else failing_since
        if clock() - failing_since >= patience_s:
            raise failure
        await asyncio.sleep(next(pauses))
        await calls.refresh()


async def _asked_once(calls: ActorCalls, owner: Owner, ask: Callable[[Any], Any]) -> Any:
    asked: list[Any] = []

    def call(host: Any) -> Any:
        asked.append(ask(host))
        return asked[0]

    try:
        return await calls.once(calls.topology.placement.host_of(owner), call)
    except asyncio.CancelledError:
        with suppress(ray.exceptions.RayError, IndexError):
            ray.cancel(asked[0])  # or the wait would stay on the host until its time is up
        raise
