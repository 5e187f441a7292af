"""Swarm: one namespace of one stack. connect() finds it; handles come from it."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ray

from pinak_ray.client.handles import AgentHandle, BoardHandle
from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.transport import Transport
from pinak_ray.records.errors import NotRunning
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.limits import check_name
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR

__all__ = ["Swarm", "connect"]

_CONNECT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Swarm:
    """One namespace's agents and boards. Cheap to pickle: hand it, or its handles, to any task."""

    namespace: NamespaceKey
    namespace_id: int
    dimension: int
    transport: Transport

    def agent(self, name: str) -> AgentHandle:
        """Return the agent of this name; it need not exist yet."""
        return AgentHandle(self, check_name("agent", name))

    def board(self, name: str) -> BoardHandle:
        """Return the board of this name; it need not exist yet."""
        return BoardHandle(self, check_name("board", name))

    async def aclose(self) -> None:
        """Release the connection; what was acknowledged stays."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Swarm {self.namespace} over {type(self.transport).__name__}>"


def connect(
    address: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    tenant: str | None = None,
    project: str | None = None,
    home: str | Path | None = None,
) -> Swarm:
    """Join the stack that `pinak-ray up` started and return one namespace of it.

    Inside a Ray task, actor or initialised driver the running Ray is used; otherwise this joins the
    stack found in `home` (PINAK_HOME, ~/.pinak-ray) or at a Ray `address`. With `url` (PINAK_URL)
    and `token` (PINAK_TOKEN) the same verbs travel over HTTP, and the token names the namespace.
    Raises NotRunning when there is no stack.
    """
    # Imported here: actors and tasks import this package too, and never come this way.
    from pinak_ray.client.discovery import ClientSettings, user_path

    settings = ClientSettings()
    url = url or (settings.url if address is None and not ray.is_initialized() else None)
    if url is not None:
        return _connect_http(url, token or settings.token)
    namespace = NamespaceKey(tenant or settings.tenant, project or settings.project)
    if not ray.is_initialized():
        _join_ray(address, user_path(home) if home is not None else settings.home)
    return _connect_ray(namespace)


def _connect_http(url: str, token: str | None) -> Swarm:
    if token is None:
        raise NotRunning("connecting by url needs a token; make one with `pinak-ray token`")
    from pinak_ray.client.over_http.transport import HttpTransport

    transport = HttpTransport(url, token)
    about = transport.describe()
    return Swarm(about.namespace, about.namespace_id, about.dimension, transport)


def _join_ray(address: str | None, home: Path) -> None:
    from pinak_ray.client.discovery import StackFile, ray_token_environment

    if address is None:
        join_ray(StackFile.read(home).ray_address, ray_token_environment(home), show_logs=True)
    else:
        join_ray(address, {}, show_logs=True)


def _connect_ray(namespace: NamespaceKey) -> Swarm:
    try:
        supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    except ValueError:
        raise NotRunning(
            "this Ray cluster runs no pinak-ray stack; start one with `pinak-ray up`"
        ) from None
    answers = ray.get(
        [
            supervisor.topology.remote(),
            supervisor.namespace_id.remote(namespace),
            supervisor.model.remote(),
        ],
        timeout=_CONNECT_TIMEOUT_S,
    )
    topology, namespace_id, model = answers
    return Swarm(namespace, namespace_id, model.dimension, RayTransport(topology, model))
