"""The gateway's application on Ray Serve: ours alone, or beside other people's applications."""

from typing import Any

import ray
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.exceptions import RayServeException

from pinak_ray.records.errors import SetupError
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR
from pinak_ray.serve.gateway import GATEWAY, gateway_application
from pinak_ray.services.config import StackConfig

__all__ = ["remove_gateway", "serve_gateway", "serving_url"]

_READY_TIMEOUT_S = 180.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - where others listen


def serving_url() -> str | None:
    """Return where the cluster's Serve answers; None where none runs.

    What it listens on was said by whoever started it, and is not changed by a second start.
    """
    client = _get_global_client(raise_if_no_controller_running=False)
    if client is None:
        return None
    host = client.http_config.host or ""
    return f"http://{_EVERYWHERE.get(host, host)}:{client.http_config.port}"


def serve_gateway(
    config: StackConfig, url: str, *, replicas: int, proxy_location: str, host: str
) -> None:
    """Serve the gateway at `url`, by the Serve that runs, or else by one that listens on `host`.

    Blocking. Raises SetupError where another application has the root of the Serve that runs.
    """
    supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    topology, model = ray.get(
        [supervisor.topology.remote(), supervisor.model.remote()], timeout=_READY_TIMEOUT_S
    )
    # Serve's own actors use the Ray namespace "serve"; no request_timeout_s, it would cut streams.
    port = int(url.rpartition(":")[2])
    serve.start(http_options={"host": host, "port": port}, proxy_location=proxy_location)
    if GATEWAY in serve.status().applications:
        return
    application = gateway_application(config, topology, model, replicas=replicas)
    try:
        serve.run(application, name=GATEWAY, route_prefix="/")
    except RayServeException as error:
        raise SetupError(f"this cluster's Serve does not take the gateway: {error}") from error


def remove_gateway(*, whole: bool) -> None:
    """Take the gateway from Serve, or end Serve where it was started for the gateway alone."""
    if whole:
        serve.shutdown()
    elif GATEWAY in serve.status().applications:
        serve.delete(GATEWAY)
