"""The composition root: a whole stack up, found again, and down."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ray
from ray import serve

from pinak_ray import __version__
from pinak_ray.actors.supervisor import start_supervisor
from pinak_ray.client.discovery import StackFile
from pinak_ray.client.identity import check_own
from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.client.over_ray.tokens import ray_token_environment
from pinak_ray.cluster.connection_room import check_room
from pinak_ray.cluster.first_model import prepare_model
from pinak_ray.cluster.home_lock import home_lock
from pinak_ray.cluster.ingress import ingress_environment, write_haproxy_wrapper
from pinak_ray.cluster.ports import Ports, is_free, take_ports
from pinak_ray.cluster.postgres.external import check_server
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.migrations import runner
from pinak_ray.records.errors import NotRunning, PinakError, SetupError, Unavailable
from pinak_ray.records.topology import RAY_NAMESPACE, SUPERVISOR, Placement, Topology
from pinak_ray.security.keys import KeyRing
from pinak_ray.serve.gateway import GATEWAY, gateway_application
from pinak_ray.services.config import StackConfig
from pinak_ray.store.database import Database
from pinak_ray.store.renamed_names import Renamed, renamed_names
from pinak_ray.store.signing_keys import publish_keys

__all__ = ["Progress", "Stack", "down", "health", "scale", "up"]

Progress = Callable[[str], None]
"""Told each step as it begins, for a progress display."""

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
    home, node = settings.home, RayNode(settings.home)
    ran = node.pid() is not None
    if not ran:
        node.end_haproxy()
        _check_port(settings)
    keeper = _embedded(settings)
    if keeper is not None and not ran and keeper.postmaster_pid is None:
        undo.callback(_end, "PostgreSQL", keeper.stop, progress)
    dsn = _database(settings, keeper, progress)
    _migrate(dsn, progress)
    reader_dsn = keeper.reader_dsn if keeper else None
    ring = KeyRing.load_or_create(home / "keys")
    asyncio.run(_publish(dsn, ring))
    if not ran:
        asyncio.run(_check_room(settings, dsn, progress))
    progress("loading the embedding model")
    _prepare_model(settings, dsn, progress)
    # Not before: what is free now is bound in a second.
    ports = Ports.of(node.address()) if ran else take_ports(home)
    url = _url(settings, ports, ran=ran)
    directory = node.temporary.parent
    environment = ingress_environment(directory, ports, haproxy=settings.haproxy)
    if not ran:
        undo.callback(_end, "Ray", node.stop, progress)
        undo.callback(node.keep_logs)
    address = node.start(
        ports, num_cpus=settings.num_cpus, environment=environment, on_progress=progress
    )
    if settings.haproxy:
        write_haproxy_wrapper(directory)
    join_ray(address, {**environment, **ray_token_environment(home)})
    if not ran:
        undo.callback(ray.shutdown)
    progress("starting the actors")
    config = settings.stack_config(dsn, reader_dsn)
    supervisor: Any = start_supervisor(config, url, keeper)
    ray.get(supervisor.start.remote(), timeout=_READY_TIMEOUT_S)
    progress("starting the gateway")
    _serve(settings, config, url, supervisor)
    progress("asking the gateway")
    _await_ready(url, home)
    StackFile(address, url, __version__).write(home)
    return Stack(address, url, home)


def _end(part: str, stop: Callable[[], bool], progress: Progress) -> None:
    """End what a failed start had started; that it failed is the news, and what does not end."""
    progress(f"ending {part}, which this start had started")
    try:
        stop()
    except PinakError as error:
        progress(str(error))


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
        if ran:
            progress("draining the actors")
            _drain(home)
            progress("stopping Ray")
        ran = node.stop()
        StackFile.remove(home)
        if settings.dsn is None and (home / "postgres").exists():
            progress("stopping PostgreSQL")
            ran |= EmbeddedPostgres(home / "postgres", bin_dir=settings.pg_bin).stop()
        return ran


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
    join_ray(stack.ray_address, ray_token_environment(settings.home))
    return ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)


def _embedded(settings: Settings) -> EmbeddedPostgres | None:
    if settings.dsn is not None:
        return None
    return EmbeddedPostgres(
        settings.home / "postgres", bin_dir=settings.pg_bin, durable=settings.durable
    )


def _database(settings: Settings, server: EmbeddedPostgres | None, progress: Progress) -> str:
    if server is not None:
        progress("starting PostgreSQL")
        return server.start(on_progress=progress)
    assert settings.dsn is not None
    progress("checking PostgreSQL")
    dsn = settings.dsn.get_secret_value()
    report = asyncio.run(check_server(dsn))
    if report.problems:
        raise SetupError("this PostgreSQL cannot be used:\n- " + "\n- ".join(report.problems))
    return dsn


def _migrate(dsn: str, progress: Progress) -> None:
    """Bring the schema up to date, and tell of names that it changed: somebody looks for them."""
    progress("migrating the database")
    before = asyncio.run(_renamed(dsn))
    runner.upgrade(dsn)
    after = asyncio.run(_renamed(dsn))
    if after != before:
        progress(str(after))


async def _renamed(dsn: str) -> Renamed:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        return await renamed_names(connection)


async def _publish(dsn: str, ring: KeyRing) -> None:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        await publish_keys(connection, ring.public_keys)


async def _check_room(settings: Settings, dsn: str, progress: Progress) -> None:
    async with (
        await Database.open(dsn, service_connections=1) as database,
        database.service() as connection,
    ):
        warning = await check_room(connection, settings, dsn)
    if warning is not None:
        progress(warning)


def _prepare_model(settings: Settings, dsn: str, progress: Progress) -> None:
    """Build the model files here, where progress can be shown, and not in an actor."""

    def report(step: str, fraction: float) -> None:
        progress(f"embedding model: {step} {fraction:.0%}")

    async def prepare() -> None:
        async with await Database.open(dsn, service_connections=1) as database:
            config = settings.stack_config(dsn)
            await prepare_model(database, config, report=report, progress=progress)

    asyncio.run(prepare())


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


def _serve(settings: Settings, config: StackConfig, url: str, supervisor: Any) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    topology, model = ray.get(
        [supervisor.topology.remote(), supervisor.model.remote()], timeout=_READY_TIMEOUT_S
    )
    # Serve's own actors use the Ray namespace "serve"; no request_timeout_s, it would cut streams.
    serve.start(http_options={"host": host, "port": int(port)}, proxy_location="HeadOnly")
    if GATEWAY in serve.status().applications:
        return
    application = gateway_application(config, topology, model, replicas=settings.gateways)
    serve.run(application, name=GATEWAY, route_prefix="/")


def _drain(home: Path) -> None:
    try:
        join_ray(RayNode(home).address(), ray_token_environment(home))
        serve.shutdown()
        supervisor: Any = ray.get_actor(SUPERVISOR, namespace=RAY_NAMESPACE)
        ray.get(supervisor.stop.remote(), timeout=60)
        ray.kill(supervisor)
    except (ValueError, NotRunning, ray.exceptions.RayError, TimeoutError):
        # What does not answer cannot be drained; nothing acknowledged is lost by ending it.
        pass
    finally:
        ray.shutdown()
