"""The composition root: a whole stack up, found again, and down."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import ray

from pinak_ray import __version__
from pinak_ray.actors.supervisor import start_supervisor
from pinak_ray.client.discovery import StackFile
from pinak_ray.client.identity import check_own
from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.client.over_ray.tokens import ray_token_environment, stack_token_environment
from pinak_ray.cluster.gateway import remove_gateway, serve_gateway, serving_url
from pinak_ray.cluster.home_lock import home_lock
from pinak_ray.cluster.ingress import ingress_environment, write_haproxy_wrapper
from pinak_ray.cluster.joined import JoinedCluster
from pinak_ray.cluster.ports import Ports, is_free, take_ports
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.prepared import Prepared, Progress, end, prepare
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning, PinakError, SetupError, Unavailable
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Placement, Topology

__all__ = ["Progress", "Stack", "down", "health", "scale", "up"]

_READY_TIMEOUT_S = 180.0
# Each stack on a shared port would answer every second request.
_ASKED_WHO = 10


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that answers."""

    ray_address: str
    url: str
    home: Path


def _quiet(_: str) -> None:
    return None


def up(settings: Settings, *, progress: Progress = _quiet) -> Stack:
    """Start whatever does not run yet, and return once every part answers.

    Blocking. A second call finds the first one's parts; at the same time, it waits for them. Raises
    SetupError, which says what the machine or the database lacks, and Unavailable when a part does
    not come up. What a start that fails had started is ended; what ran before runs on.
    """
    with home_lock(settings.home, progress), ExitStack() as undo:
        stack = _up(settings, progress, undo)
        undo.pop_all()
        return stack


def _up(settings: Settings, progress: Progress, undo: ExitStack) -> Stack:
    if settings.ray_address is not None:
        return _up_there(settings, settings.ray_address, progress, undo)
    home, node = settings.home, RayNode(settings.home)
    ran = node.pid() is not None
    if not ran:
        node.end_haproxy()
        _check_port(settings)
    prepared = prepare(settings, progress, undo, ran=ran)
    # Not before: what is free now is bound in a second.
    ports = Ports.of(node.address()) if ran else take_ports(home)
    url = _url(settings, ports, ran=ran)
    directory = node.temporary.parent
    environment = ingress_environment(directory, ports, haproxy=settings.haproxy)
    if not ran:
        undo.callback(end, "Ray", node.stop, progress)
        undo.callback(node.keep_logs)
    address = node.start(
        ports, num_cpus=settings.num_cpus, environment=environment, on_progress=progress
    )
    if settings.haproxy:
        write_haproxy_wrapper(directory)
    join_ray(address, {**environment, **ray_token_environment(home)})
    if not ran:
        undo.callback(ray.shutdown)
    _start_parts(settings, prepared, url, progress, proxy_location="HeadOnly")
    return _ready(settings, StackFile(address, url, __version__), progress)


def _up_there(settings: Settings, address: str, progress: Progress, undo: ExitStack) -> Stack:
    """Start our parts on a cluster that runs; whatever else runs there is left alone."""
    progress(f"joining Ray at {address}")
    joined_before = ray.is_initialized()
    cluster = JoinedCluster.join(address)
    if not joined_before:
        undo.callback(ray.shutdown)
    cluster.check(settings)
    found = _found_there(settings, cluster)
    serves = serving_url()
    if serves is None:
        _check_port(settings)
    prepared = prepare(settings, progress, undo, ran=found is not None)
    url = serves or _url(settings, take_ports(settings.home), ran=False)
    owns_serve = serves is None if found is None else found.owns_serve
    if found is None:
        undo.callback(end, "our parts", partial(_stop_parts, whole=owns_serve), progress)
    _start_parts(settings, prepared, url, progress, proxy_location="EveryNode")
    stack = StackFile(cluster.address, url, __version__, owns_ray=False, owns_serve=owns_serve)
    return _ready(settings, stack, progress)


def _found_there(settings: Settings, cluster: JoinedCluster) -> StackFile | None:
    """Return the home's stack where it runs on this cluster; raises SetupError for another's."""
    try:
        ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    except ValueError:
        return None
    try:
        stack = StackFile.read(settings.home)
    except NotRunning:
        stack = None
    if stack is None or stack.ray_address != cluster.address:
        raise SetupError(
            f"the cluster at {cluster.address} runs a stack that {settings.home} did not start; "
            "name its home with --home, or stop it there with `pinak-ray down`"
        )
    return stack


def _start_parts(
    settings: Settings, prepared: Prepared, url: str, progress: Progress, *, proxy_location: str
) -> None:
    progress("starting the actors")
    supervisor: Any = start_supervisor(prepared.config, url, prepared.keeper)
    ray.get(supervisor.start.remote(), timeout=_READY_TIMEOUT_S)
    progress("starting the gateway")
    serve_gateway(
        prepared.config,
        url,
        replicas=settings.gateways,
        proxy_location=proxy_location,
        host=settings.http_host,
    )


def _ready(settings: Settings, stack: StackFile, progress: Progress) -> Stack:
    assert stack.url is not None
    progress("asking the gateway")
    _await_ready(stack.url, settings.home)
    stack.write(settings.home)
    return Stack(stack.ray_address, stack.url, settings.home)


def _await_ready(url: str, home: Path) -> None:
    """Return once our gateway says that every part is ready; raises Unavailable otherwise.

    Raises NotRunning when it is another stack's that answers on our port.
    """
    deadline = time.monotonic() + _READY_TIMEOUT_S
    said = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/readyz", timeout=10, trust_env=False)
        except httpx.HTTPError as error:
            said = repr(error)
        else:
            if answer.is_success:
                for _ in range(_ASKED_WHO):
                    check_own(url, home)
                return
            said = answer.text
        time.sleep(0.1)
    raise Unavailable(f"the gateway at {url} is not ready: {said}")


def down(settings: Settings, *, progress: Progress = _quiet) -> bool:
    """Drain and stop everything; returns False when nothing ran.

    What was acknowledged stays in the database, which is stopped last.
    """
    home = settings.home
    if not home.exists():
        return False
    with home_lock(home, progress):
        node = RayNode(home)
        ran = node.pid() is not None
        there = None if ran else _stack_there(home)
        if ran or there is not None:
            progress("draining the actors")
            _drain(home, there)
        if there is None:
            if ran:
                progress("stopping Ray")
            ran = node.stop()
        StackFile.remove(home)
        if settings.dsn is None and (home / "postgres").exists():
            progress("stopping PostgreSQL")
            ran |= EmbeddedPostgres(home / "postgres", bin_dir=settings.pg_bin).stop()
        return ran or there is not None


def _stack_there(home: Path) -> StackFile | None:
    """Return the home's stack on a cluster of somebody's; None where it runs on its own, or not."""
    try:
        stack = StackFile.read(home)
    except NotRunning:
        return None
    return None if stack.owns_ray else stack


def health(settings: Settings) -> dict[str, dict[str, Any]]:
    """Ask every part of the running stack; raises NotRunning when there is none."""
    answer: dict[str, dict[str, Any]] = ray.get(_supervisor(settings).health.remote(), timeout=60)
    return answer


def scale(settings: Settings, hosts: int) -> Placement:
    """Change the number of hosts of the running stack, and return where they are.

    Blocking. Until the stack stops; the next `up` starts with the configured number again. Raises
    NotRunning, InvalidInput, and Unavailable when a host has not taken its shards in time.
    """
    scaled = _supervisor(settings).scale.remote(hosts)
    try:
        answer: Topology = ray.get(scaled, timeout=_READY_TIMEOUT_S)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, PinakError):
            raise error.cause from None
        raise
    return answer.placement


def _supervisor(settings: Settings) -> Any:
    stack = StackFile.read(settings.home)
    join_ray(stack.ray_address, stack_token_environment(stack, settings.home))
    return ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)


def _check_port(settings: Settings) -> None:
    """Raise SetupError when somebody listens on our port: two would share the requests."""
    host, port = settings.http_host, settings.http_port
    if port and not is_free(host, port):
        raise SetupError(
            f"{host}:{port} is taken by another program, or is no address of this machine; name "
            "another port with --http-port (PINAK_HTTP_PORT), 0 for a free one"
        )


def _url(settings: Settings, ports: Ports, *, ran: bool) -> str:
    """Return the running gateway's URL, or the one that a new gateway is to have."""
    try:
        previous = StackFile.read(settings.home).url if ran else None
    except NotRunning:
        previous = None
    return previous or f"http://{settings.http_host}:{settings.http_port or ports.http}"


def _drain(home: Path, there: StackFile | None) -> None:
    joined_before = ray.is_initialized()
    try:
        if there is None:
            join_ray(RayNode(home).address(), ray_token_environment(home))
        else:
            join_ray(there.ray_address, {})
        _stop_parts(whole=there is None or there.owns_serve)
    except (ValueError, NotRunning, ray.exceptions.RayError, TimeoutError):
        # What does not answer cannot be drained; nothing acknowledged is lost by ending it.
        pass
    finally:
        if there is None or not joined_before:
            ray.shutdown()


def _stop_parts(*, whole: bool) -> None:
    """Drain and remove our actors, and Serve with them where it is ours."""
    remove_gateway(whole=whole)
    supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
    ray.get(supervisor.stop.remote(), timeout=60)
    ray.kill(supervisor)
