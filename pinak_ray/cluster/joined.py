"""Onto a Ray cluster that runs already: our parts join it, and nothing of it is changed.

How the cluster is reached is the user's business: RAY_ADDRESS, RAY_AUTH_MODE and its token, TLS.
Its Serve is used where one runs; otherwise one is started, which ends with the stack.
"""

from dataclasses import dataclass

import ray

from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import NotRunning, SetupError

__all__ = ["JoinedCluster", "address_here"]


@dataclass(frozen=True, slots=True)
class JoinedCluster:
    """A cluster that this process has joined, and how many machines it has."""

    address: str
    """Its GCS, as host and port."""
    nodes: int

    @classmethod
    def join(cls, address: str) -> "JoinedCluster":
        """Join the cluster at `address`, or the one that Ray finds by itself (`auto`).

        Raises NotRunning where there is none.
        """
        join_ray(address, {})
        found = address_here()
        if found is None:
            raise NotRunning(f"no Ray cluster answers at {address}; start one with `ray start`")
        return cls(found, sum(bool(node["Alive"]) for node in ray.nodes()))

    def check(self, settings: Settings) -> None:
        """Raise SetupError where this cluster's nodes would not reach the stack's database."""
        if self.nodes > 1 and settings.dsn is None:
            raise SetupError(
                f"the cluster at {self.address} has {self.nodes} nodes, and the embedded "
                "PostgreSQL is reached from this machine alone; name one that all nodes reach with "
                "--dsn or PINAK_DSN"
            )


def address_here() -> str | None:
    """Return the address of the cluster that this process has joined; None where it has none."""
    if not ray.is_initialized():
        return None
    address: str = ray.get_runtime_context().gcs_address
    return address
