"""How a verb reaches its swarm: by URL, by the local gateway, or by joining Ray.

HTTP answers at once and joining Ray takes two seconds, so the local gateway comes before Ray; a
token for it is signed here, with the home's own key, and holds for minutes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import typer

from pinak_ray.cli.options import Target, settings_from
from pinak_ray.client.connection import connect
from pinak_ray.client.discovery import ClientSettings, StackFile
from pinak_ray.client.handles.agent import AgentHandle
from pinak_ray.client.identity import check_own
from pinak_ray.client.over_http.transport import HttpTransport
from pinak_ray.client.swarm import Swarm
from pinak_ray.cluster.tokens import mint
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.scopes import Scope

__all__ = ["ask", "open_swarm"]

R = TypeVar("R")

_LIFETIME = timedelta(minutes=10)
_PROBE_TIMEOUT_S = 2.0


def ask(target: Target, agent: str, verb: Callable[[AgentHandle], Awaitable[R]]) -> R:
    """Carry out one verb of one agent; raises what it raises, NotRunning and Unauthorized."""
    swarm = open_swarm(target)

    async def work() -> R:
        async with swarm:
            return await verb(swarm.agent(agent))

    return asyncio.run(work())


def open_swarm(target: Target) -> Swarm:
    """Return the namespace that the options name; raises NotRunning, Unauthorized.

    `--url` wins, then `--home`, then PINAK_URL, then the usual home.
    """
    client = ClientSettings()
    url = target.url or (client.url if target.home is None else None)
    if url is not None:
        if target.tenant or target.project:
            raise typer.BadParameter("over --url the token names the tenant and the project")
        return connect(url=url, token=target.token)
    settings = settings_from(home=target.home)
    key = NamespaceKey(target.tenant or client.tenant, target.project or client.project)
    stack = StackFile.read(settings.home)
    if stack.url is not None and _answers(stack.url, settings.home):
        token = mint(
            settings,
            "cli",
            namespace=key,
            scopes=(Scope.READ, Scope.WRITE, Scope.AGENTS),
            lifetime=_LIFETIME,
        )
        # The dimension serves callers' own vectors only, so asking for it would be a wasted trip.
        return Swarm(key, 0, 0, HttpTransport(stack.url, token))
    return connect(tenant=key.tenant, project=key.project, home=settings.home)


def _answers(url: str, home: Path) -> bool:
    """Tell whether a gateway is there; raises NotRunning when it is another stack's."""
    try:
        answer = httpx.get(f"{url}/healthz", timeout=_PROBE_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return False
    if answer.is_success:
        check_own(url, home)
    return answer.is_success
