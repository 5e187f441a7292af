"""Join a Ray cluster with its token, and on loopback where it runs there.

The two private names below are Ray 2.60's (the package pins that minor): Ray reads its token mode
and its "may this machine be part of a cluster?" once, at import, which user code has usually done
before it calls us.
"""

import os
from collections.abc import Mapping

import ray
from ray._private import ray_constants
from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

from pinak_ray.records.errors import NotRunning
from pinak_ray.records.topology import RAY_NAMESPACE

__all__ = ["LOOPBACK", "LOOPBACK_ENVIRONMENT", "join_ray"]

LOOPBACK = "127.0.0.1"

# Left alone, Ray replaces 127.0.0.1 by the machine's outer address and listens on every interface.
LOOPBACK_ENVIRONMENT = {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}


def join_ray(address: str, environment: Mapping[str, str], *, show_logs: bool = False) -> None:
    """Connect this process to the cluster; a no-op when it is connected already.

    `environment` carries the token's mode and place; `show_logs` prints what this driver's own
    tasks print, as Ray does by default. Raises NotRunning when nobody answers.
    """
    if ray.is_initialized():
        return
    os.environ.update(environment)
    if environment:
        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()
    if address.startswith(LOOPBACK):
        os.environ.update(LOOPBACK_ENVIRONMENT)
        ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        ray.init(
            address=address,
            namespace=RAY_NAMESPACE,
            log_to_driver=show_logs,
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError) as error:
        raise NotRunning(f"no Ray cluster answers at {address}; run `pinak-ray up`") from error
