"""The ports of one stack: a block of its own, so that no request of ours ends at another stack.

Ray and Serve have fixed ports by default, and Serve's listeners share theirs with whoever of the
same user binds it too. So each stack takes 200 ports in a row. The first is its GCS's, which holds
it alone for as long as the stack runs: who finds it taken takes another block.
"""

import random
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pinak_ray.client.over_ray.session import LOOPBACK
from pinak_ray.records.errors import SetupError

__all__ = ["Ports", "is_free", "take_ports"]

# Below what systems give to outgoing connections (32768 on Linux, 49152 elsewhere) and what Ray's
# workers listen in: a port is bound seconds after it was looked at, and must still be free then.
_FIRST, _LAST = 20_000, 29_999
_BLOCK = 200
_FILE = "ports"


@dataclass(frozen=True, slots=True)
class Ports:
    """Who has which port of the block that begins here."""

    first: int

    @classmethod
    def of(cls, address: str) -> Self:
        """Return the block of the stack whose Ray has this address."""
        return cls(int(address.rpartition(":")[2]))

    @property
    def gcs(self) -> int:
        """Ray's GCS: the address of the cluster."""
        return self.first

    @property
    def ray_client(self) -> int:
        """Ray Client's server."""
        return self.first + 1

    @property
    def agent(self) -> int:
        """The dashboard's agent."""
        return self.first + 2

    @property
    def ray_metrics(self) -> int:
        """Ray's metrics of this node."""
        return self.first + 3

    @property
    def dashboard(self) -> int:
        """The dashboard, which is off."""
        return self.first + 4

    @property
    def autoscaler_metrics(self) -> int:
        """The autoscaler's metrics, by default 44217 for all Rays of a machine."""
        return self.first + 5

    @property
    def dashboard_metrics(self) -> int:
        """The dashboard's metrics, by default 44227."""
        return self.first + 6

    @property
    def haproxy_metrics(self) -> int:
        """HAProxy's metrics."""
        return self.first + 7

    @property
    def haproxy_stats(self) -> int:
        """HAProxy's statistics."""
        return self.first + 8

    @property
    def fallback_http(self) -> int:
        """Serve's own proxy, which HAProxy asks when no gateway answers; by default 8500."""
        return self.first + 9

    @property
    def fallback_grpc(self) -> int:
        """The same for gRPC, by default 9500."""
        return self.first + 10

    @property
    def http(self) -> int:
        """HAProxy's own port where the user asks for a free one."""
        return self.first + 11

    @property
    def replicas_http(self) -> tuple[int, int]:
        """Gateway replicas; each new one takes another, and a used one rests for minutes."""
        return self.first + 20, self.first + 159

    @property
    def replicas_grpc(self) -> tuple[int, int]:
        """The same for gRPC."""
        return self.first + 160, self.first + _BLOCK - 1

    @property
    def are_free(self) -> bool:
        """Whether nobody listens on any of them now."""
        return all(is_free(LOOPBACK, port) for port in range(self.first, self.first + _BLOCK))


def take_ports(home: Path) -> Ports:
    """Return the home's block, or another one while somebody is in it; kept in the home.

    Raises SetupError when the machine has no free block.
    """
    starts = list(range(_FIRST, _LAST, _BLOCK))
    random.shuffle(starts)  # so that two stacks that start now seldom meet
    for ports in [_kept_ports(home), *map(Ports, starts)]:
        if ports is not None and ports.are_free:
            (home / _FILE).write_text(f"{ports.first}\n", encoding="ascii")
            return ports
    raise SetupError(f"no {_BLOCK} free ports in a row between {_FIRST} and {_LAST} on {LOOPBACK}")


def _kept_ports(home: Path) -> Ports | None:
    """Return the block of the home's last start; None when none is written down."""
    try:
        first = int((home / _FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return Ports(first) if first in range(_FIRST, _LAST, _BLOCK) else None


def is_free(host: str, port: int) -> bool:
    """Tell whether the port could be bound alone; a listener that shares it counts as one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one:
        # Connections of an earlier listener that still end are in nobody's way.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError:
            return False
    return True
