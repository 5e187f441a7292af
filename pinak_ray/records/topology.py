"""Where a stack's actors are: the supervisor's answer that every client caches."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pinak_ray.records.state.owners import SHARDS, Owner, shard_of

__all__ = ["RAY_NAMESPACE", "SUPERVISOR", "Placement", "Topology", "place"]

# The only two names that a client must know beforehand; all others come in the Topology.
RAY_NAMESPACE = "pinak"
SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Placement:
    """Which host holds which owner: a pure function, the same in every process.

    `version` rises with each change. An owner in `dedicated` has asked for a host of its own: it
    leaves its common shard for one of its own, numbered from SHARDS up.
    """

    version: int
    hosts: tuple[str, ...]
    dedicated: Mapping[Owner, int] = field(default_factory=dict)

    def shard_of(self, owner: Owner) -> int:
        """Return the shard that holds this owner."""
        own = self.dedicated.get(owner) if self.dedicated else None
        return shard_of(owner) if own is None else own

    def host_of(self, owner: Owner) -> str:
        """Return the name of the host that holds this owner."""
        return self.host_of_shard(self.shard_of(owner))

    def host_of_shard(self, shard: int) -> str:
        """Return the name of the host that takes this shard."""
        return place(self.hosts)[shard] if shard < SHARDS else dedicated_host(shard)

    def shards_of(self, host: str) -> frozenset[int]:
        """Return the shards that this host takes; none for a host that has left."""
        shards = (*range(SHARDS), *self.dedicated.values())
        return frozenset(shard for shard in shards if self.host_of_shard(shard) == host)

    @property
    def all_hosts(self) -> tuple[str, ...]:
        """The common hosts and the dedicated ones."""
        return (*self.hosts, *map(dedicated_host, self.dedicated.values()))


def dedicated_host(shard: int) -> str:
    """Return the name of the host that takes an owner's own shard."""
    return f"dedicated-{shard}"


@dataclass(frozen=True, slots=True)
class Topology:
    """Names of the live actors, as of one version of their placement."""

    placement: Placement
    writers: tuple[str, ...]
    recallers: tuple[str, ...]
    indexers: tuple[str, ...]
    gateway_url: str | None


@lru_cache(maxsize=64)
def place(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the owner of each shard by rendezvous hashing (Thaler and Ravishankar, 1996).

    Each shard goes to the host with the highest hash of (host, shard): adding or removing a host
    moves only the shards that it gains or loses.
    """

    def weight(host: str, shard: int) -> bytes:
        return hashlib.blake2b(f"{host}/{shard}".encode(), digest_size=8).digest()

    return tuple(max(hosts, key=lambda host: weight(host, shard)) for shard in range(SHARDS))
