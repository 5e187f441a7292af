"""One long poll of a watcher over Ray, wherever the owner's host is now."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import ray

from pinak_ray.client.actor_calls import RETRY_WINDOW_S, ActorCalls
from pinak_ray.records.errors import NotRunning, Overloaded, Unavailable
from pinak_ray.records.operations import Watch, WatchPage

__all__ = ["poll"]

_FIRST_BACKOFF_S = 0.02
# A killed process is back after two seconds: a longer wait would be most of what a caller sees.
_LAST_BACKOFF_S = 0.3


async def poll(calls: ActorCalls, watch: Watch) -> WatchPage:
    """Return the next page, asked for again from the same cursor while the host is replaced.

    Raises Unavailable after half a minute without an answer, Overloaded after `patience_s`.
    """
    clock = asyncio.get_running_loop().time
    failing_since: float | None = None
    backoff = _FIRST_BACKOFF_S
    while True:
        try:
            return await _ask(calls, watch)
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
        await asyncio.sleep(backoff * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        backoff = min(backoff * 2, _LAST_BACKOFF_S)
        await calls.refresh()


async def _ask(calls: ActorCalls, watch: Watch) -> WatchPage:
    asked: list[Any] = []

    def ask(host: Any) -> Any:
        asked.append(host.watch.remote(watch))
        return asked[0]

    host = calls.topology.placement.host_of(watch.owner)
    try:
        page: WatchPage = await calls.once(host, ask)
    except asyncio.CancelledError:
        with suppress(ray.exceptions.RayError, IndexError):
            ray.cancel(asked[0])  # or the wait would stay on the host until its time is up
        raise
    return page
