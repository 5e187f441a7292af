"""A swarm over Ray: join the cluster where this process has not, and ask its Supervisor."""

from pathlib import Path
from typing import Any

import ray

from pinak_ray.client.discovery import StackFile
from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.client.over_ray.tokens import stack_token_environment
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.errors import NotRunning
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR

__all__ = ["over_ray"]

_TIMEOUT_S = 60.0


def over_ray(namespace: NamespaceKey, address: str | None, home: Path) -> Swarm:
    """Return a namespace of the stack at a Ray `address`, or else of `home`; raises NotRunning."""
    if not ray.is_initialized():
        if address is None:
            stack = StackFile.read(home)
            environment = stack_token_environment(stack, home)
            join_ray(stack.ray_address, environment, show_logs=True)
        else:
            join_ray(address, {}, show_logs=True)
    try:
        supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    except ValueError:
        raise NotRunning(
            "this Ray cluster runs no pinak-ray stack; start one with `pinak-ray up`"
        ) from None
    topology, namespace_id, model = ray.get(
        [
            supervisor.topology.remote(),
            supervisor.namespace_id.remote(namespace),
            supervisor.model.remote(),
        ],
        timeout=_TIMEOUT_S,
    )
    return Swarm(namespace, namespace_id, model.dimension, RayTransport(topology, model))
