"""Placing: which hosts there are, and how shards move without losing or reordering a write."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import ray
import structlog

from pinak_ray.concurrency.lazy import Lazy
from pinak_ray.records.errors import InvalidInput, PinakError, Unavailable
from pinak_ray.records.state.owners import SHARDS, Owner
from pinak_ray.records.topology import RAY_NAMESPACE, Placement
from pinak_ray.services.names import host_name
from pinak_ray.store.database import Database
from pinak_ray.store.placement import load_placement, store_placement

__all__ = ["MAX_HOSTS", "Placing"]

MAX_HOSTS = SHARDS
# A release commits what waits, at most one queue: about two seconds of work.
_MOVE_TIMEOUT_S = 15.0
# Far above any pause of a live host. A wrong guess is safe, the epochs see to that; it only costs.
_SILENT_FOR_S = 15.0
_PING_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Placing:
    """Holds the placement in force; every change is stored before any host hears of it.

    A move has two steps: all hosts release what they lose, which commits it, and only then the
    others take it, under new epochs. Whoever asks for a moving agent in between is told WrongShard
    and asks again. A host that does not release is fenced by the epochs all the same.
    """

    database: Lazy[Database]
    start_host: Callable[[str], Any]
    """Returns the handle of the host of this name, starting it if need be."""
    first_hosts: int
    _current: Placement | None = None
    _settled: int = 0
    _heard: dict[str, float] = field(default_factory=dict)
    _moving: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> Placement:
        """Return the placement in force, storing the first one if there is none."""
        if self._current is None:
            database = await self.database.get()
            stored = await load_placement(database)
            if stored is None:
                stored = Placement(1, _names(self.first_hosts))
                await store_placement(database, stored)
            self._current = stored
        return self._current

    async def begin(self) -> None:
        """Go back to the configured number of hosts, unless hosts are running already."""
        placement = await self.current()
        if not any(_exists(name) for name in placement.all_hosts):
            stored = await self._store(replace(placement, hosts=_names(self.first_hosts)))
            self._settled = stored.version

    async def scale(self, hosts: int) -> Placement:
        """Change the number of hosts; returns once every shard is served from its new place."""
        if not 1 <= hosts <= MAX_HOSTS:
            raise InvalidInput(f"hosts is {hosts}, it must be from 1 to {MAX_HOSTS}")
        async with self._moving:
            placement = await self.current()
            kept = placement.hosts[:hosts]
            added = _unused(placement, hosts - len(kept))
            return await self._move(replace(placement, hosts=(*kept, *added)))

    async def dedicate(self, owner: Owner, dedicated: bool) -> Placement:
        """Give this owner a host of its own, or bring it back to the common ones."""
        async with self._moving:
            placement = await self.current()
            owners = dict(placement.dedicated)
            if dedicated and owner not in owners:
                owners[owner] = max((SHARDS - 1, *owners.values())) + 1
            elif not dedicated:
                owners.pop(owner, None)
            return await self._move(replace(placement, dedicated=owners))

    async def heal(self) -> None:
        """Finish a move that was cut short, hand out lost shards, and replace a silent host."""
        async with self._moving:
            placement = await self.current()
            if self._settled != placement.version:
                await self._settle(placement)
                return
            names = placement.all_hosts
            heard = await asyncio.gather(*(self._is_heard(placement, name) for name in names))
            silent = [name for name, is_heard in zip(names, heard, strict=True) if not is_heard]
            if silent and (replaced := _without(placement, silent)) != placement:
                structlog.get_logger().warning("hosts_replaced", silent=silent)
                await self._move(replaced)

    async def _is_heard(self, placement: Placement, name: str) -> bool:
        """Ask a host, and give it what it should hold; False once it was silent for too long."""
        now = time.monotonic()
        try:
            async with asyncio.timeout(_PING_TIMEOUT_S):
                host = self.start_host(name)
                said = await host.ping.remote()
                if said["shards"] != len(placement.shards_of(name)):
                    await host.take.remote(placement)
        except TimeoutError:
            return now - self._heard.setdefault(name, now) < _SILENT_FOR_S
        except (ray.exceptions.RayError, PinakError):
            pass  # it is starting, or its database is: that is not silence
        self._heard[name] = now
        return True

    async def _store(self, placement: Placement) -> Placement:
        stored = replace(placement, version=placement.version + 1)
        await store_placement(await self.database.get(), stored)
        self._current = stored
        return stored

    async def _move(self, placement: Placement) -> Placement:
        before = await self.current()
        if replace(placement, version=before.version) == before:
            return before
        stored = await self._store(placement)
        await self._settle(stored, gone=set(before.all_hosts) - set(stored.all_hosts))
        return stored

    async def _settle(self, placement: Placement, gone: set[str] | None = None) -> None:
        leaving = gone or set()
        running = [name for name in (*leaving, *placement.all_hosts) if _exists(name)]
        await asyncio.gather(*(_tell(name, "release", placement) for name in running))
        for name in placement.all_hosts:
            self.start_host(name)
        told = await asyncio.gather(
            *(_tell(name, "take", placement) for name in placement.all_hosts)
        )
        for name in leaving:
            if _exists(name):
                await _tell(name, "drain")
                ray.kill(ray.get_actor(name, namespace=RAY_NAMESPACE))
            self._heard.pop(name, None)
        if not all(told):
            raise Unavailable("a host has not taken its shards yet; the move goes on")
        self._settled = placement.version
        structlog.get_logger().info(
            "placement_settled", version=placement.version, hosts=placement.all_hosts
        )


def _names(count: int) -> tuple[str, ...]:
    return tuple(host_name(index) for index in range(count))


def _unused(placement: Placement, count: int) -> tuple[str, ...]:
    names = (host_name(index) for index in range(MAX_HOSTS * 2))
    free = (name for name in names if name not in placement.hosts)
    return tuple(next(free) for _ in range(max(0, count)))


def _without(placement: Placement, silent: list[str]) -> Placement:
    """Return the placement with a new host in the place of each silent common one.

    A silent dedicated host has its owner go back to the common ones.
    """
    taken = [*placement.hosts]
    for index, name in enumerate(placement.hosts):
        if name in silent:
            (taken[index],) = _unused(replace(placement, hosts=(*placement.hosts, *taken)), 1)
    owners = {
        owner: shard
        for owner, shard in placement.dedicated.items()
        if placement.host_of_shard(shard) not in silent
    }
    return replace(placement, hosts=tuple(taken), dedicated=owners)


def _exists(name: str) -> bool:
    try:
        ray.get_actor(name, namespace=RAY_NAMESPACE)
    except ValueError:
        return False
    return True


async def _tell(name: str, method: str, *arguments: Any) -> bool:
    """Call a host; a host that does not answer in time is left to the epochs."""
    try:
        async with asyncio.timeout(_MOVE_TIMEOUT_S):
            host: Any = ray.get_actor(name, namespace=RAY_NAMESPACE)
            await getattr(host, method).remote(*arguments)
    except (ray.exceptions.RayError, PinakError, ValueError, TimeoutError) as error:
        structlog.get_logger().warning("host_not_told", host=name, what=method, error=repr(error))
        return False
    return True
