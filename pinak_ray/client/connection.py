"""connect(): join the running stack, over HTTP or Ray; only the way that is taken is imported."""

import sys
from pathlib import Path

from pinak_ray.client.discovery import ClientSettings, user_path
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.errors import NotRunning
from pinak_ray.records.ids import NamespaceKey

__all__ = ["connect"]


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
    settings = ClientSettings()
    url = url or (settings.url if address is None and not _is_in_ray() else None)
    if url is not None:
        return _over_http(url, token or settings.token)
    from pinak_ray.client.over_ray.connection import over_ray

    namespace = NamespaceKey(tenant or settings.tenant, project or settings.project)
    return over_ray(namespace, address, user_path(home) if home is not None else settings.home)


def _is_in_ray() -> bool:
    """Tell whether this process has joined Ray; one that has not imported it has not."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def _over_http(url: str, token: str | None) -> Swarm:
    if token is None:
        raise NotRunning("connecting by url needs a token; make one with `pinak-ray token`")
    from pinak_ray.client.over_http.transport import HttpTransport

    transport = HttpTransport(url, token)
    about = transport.describe()
    return Swarm(about.namespace, about.namespace_id, about.dimension, transport)
