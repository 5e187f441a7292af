"""Where a stack's actors are: the supervisor's answer that every client caches."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from pinak_ray.records.state import SHARDS

__all__ = ["RAY_NAMESPACE", "SUPERVISOR", "Topology", "place"]

# The only two names that a client must know beforehand; all others come in the Topology.
RAY_NAMESPACE = "pinak"
SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Topology:
    """Names of the live actors. `version` rises when any of them changes."""

    version: int
    hosts: tuple[str, ...]
    writers: tuple[str, ...]
    recallers: tuple[str, ...]
    indexers: tuple[str, ...]
    gateway_url: str | None

    def host_of(self, shard: int) -> str:
        """Return the name of the host that owns this shard."""
        return place(self.hosts)[shard]


@lru_cache(maxsize=64)
def place(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the owner of each shard by rendezvous hashing (Thaler and Ravishankar, 1996).

    Each shard goes to the host with the highest hash of (host, shard): adding or removing a host
    moves only the shards that it gains or loses.
    """

    def weight(host: str, shard: int) -> bytes:
        return hashlib.blake2b(f"{host}/{shard}".encode(), digest_size=8).digest()

    return tuple(max(hosts, key=lambda host: weight(host, shard)) for shard in range(SHARDS))
