"""A stack started from a script, a notebook or a test, in the Ray that the process is in."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pinak_ray.client.connection import connect
from pinak_ray.client.discovery import StackFile
from pinak_ray.client.swarm import Swarm
from pinak_ray.cluster.joined import address_here
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import down, up
from pinak_ray.records.errors import InvalidInput, NotRunning

__all__ = ["running", "start"]

T = TypeVar("T")


def start(
    *,
    home: str | Path | None = None,
    tenant: str | None = None,
    project: str | None = None,
    **settings: Any,
) -> Swarm:
    """Start a stack, or find the one of this home, and return one namespace of it.

    In a process that has joined Ray (`ray.init()`, a `ray job submit` driver) the parts run on that
    cluster; otherwise on a Ray of the stack's own, on this machine. `settings` are those of the
    environment in lower case: `dsn=...`, `hosts=4`. The stack outlives the process; `pinak-ray
    down` ends it, or `running`. Blocks for some 15 s. Raises SetupError and Unavailable as
    `pinak-ray up` does.
    """
    return _start(_settings(home, settings), tenant, project)


@contextmanager
def running(
    *,
    home: str | Path | None = None,
    tenant: str | None = None,
    project: str | None = None,
    **settings: Any,
) -> Iterator[Swarm]:
    """Start a stack as `start` does, and stop it at the end, unless it ran before.

    with pinak_ray.running(home=tmp_path) as swarm:
        ...
    """
    chosen = _settings(home, settings)
    ran = _runs(chosen.home)
    try:
        yield _start(chosen, tenant, project)
    finally:
        if not ran:
            _in_no_loop(lambda: down(chosen))


def _settings(home: str | Path | None, given: dict[str, Any]) -> Settings:
    if unknown := given.keys() - Settings.model_fields.keys():
        raise InvalidInput(f"unknown settings: {', '.join(sorted(unknown))}")
    settings = Settings(**given) if home is None else Settings(home=Path(home), **given)
    if settings.ray_address is not None or _runs(settings.home):
        return settings
    return settings.model_copy(update={"ray_address": address_here()})


def _start(settings: Settings, tenant: str | None, project: str | None) -> Swarm:
    _in_no_loop(lambda: up(settings))
    return connect(home=settings.home, tenant=tenant, project=project)


def _runs(home: Path) -> bool:
    try:
        StackFile.read(home)
    except NotRunning:
        return False
    return True


def _in_no_loop(work: Callable[[], T]) -> T:
    """Do work that runs event loops of its own, also from a notebook, whose cells run in one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
