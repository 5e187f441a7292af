"""Who listens where: the sockets of our processes that other machines can reach."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

from pinak_ray.cli.doctor.verdict import Check, ok, warning

__all__ = ["Listener", "find_listeners", "judge_listeners", "parse_listening"]

_LISTEN = "0A"
_PROC = Path("/proc")
_REPLICA = "ServeReplica"


class Listener(NamedTuple):
    """One listening socket and its process."""

    address: IPv4Address | IPv6Address
    port: int
    pid: int
    process: str

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        mapped = getattr(self.address, "ipv4_mapped", None)
        return (mapped or self.address).is_loopback


def parse_listening(
    table: str,
) -> dict[int, tuple[IPv4Address | IPv6Address, int]]:
    """Return inode -> (address, port) of the listening rows of a /proc/net/tcp or tcp6 text."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTEN:
            continue
        raw, _, port = fields[1].partition(":")
        found[int(fields[9])] = (_address(raw), int(port, 16))
    return found


def find_listeners(marker: str) -> list[Listener]:
    """Return the listening sockets of processes whose environment names this stack's directory.

    The head is started with it, so all that it starts carries it, whoever its parent is now.
    """
    inodes: dict[int, tuple[IPv4Address | IPv6Address, int]] = {}
    for name in ("tcp", "tcp6"):
        path = _PROC / "net" / name
        if path.exists():
            inodes |= parse_listening(path.read_text(encoding="ascii"))
    found = []
    for pid in _pids_of(marker):
        process = _title(pid)
        found += [
            Listener(*inodes[inode], pid, process) for inode in _socket_inodes(pid) & inodes.keys()
        ]
    return sorted(found, key=lambda one: (one.process, one.port))


def judge_listeners(listeners: Iterable[Listener], *, outward: Mapping[int, str]) -> list[Check]:
    """Judge what other machines could reach; `outward` names ports that the user opened."""
    listeners = list(listeners)
    exposed: dict[str, set[int]] = defaultdict(set)
    for one in listeners:
        if not one.on_loopback and one.port not in outward:
            exposed[one.process].add(one.port)
    if not exposed:
        return [ok("listeners", f"{len(listeners)} sockets, all on loopback")]
    return [_exposed(process, sorted(ports)) for process, ports in sorted(exposed.items())]


def _exposed(process: str, ports: list[int]) -> Check:
    named = ", ".join(map(str, ports))
    if _REPLICA in process:
        says = (
            f"{process} listens on every interface at {named}: Serve binds its replicas' internal "
            "ports so; every route there asks for the token too"
        )
    else:
        says = f"{process} listens beyond loopback at {named}"
    return warning("listeners", says, f"close {named} to other machines in the firewall")


def _address(raw: str) -> IPv4Address | IPv6Address:
    """Read the kernel's form: 32-bit words, each in the machine's (little-endian) byte order."""
    data = bytes.fromhex(raw)
    words = [data[i : i + 4][::-1] for i in range(0, len(data), 4)]
    return ip_address(b"".join(words))


def _pids_of(marker: str) -> list[int]:
    wanted, pids = marker.encode(), []
    for place in _PROC.iterdir():
        if not place.name.isdigit():
            continue
        try:
            environment = (place / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environment:
            pids.append(int(place.name))
    return pids


def _socket_inodes(pid: int) -> set[int]:
    inodes = set()
    try:
        links = [str(link.readlink()) for link in (_PROC / str(pid) / "fd").iterdir()]
    except OSError:
        return set()
    for link in links:
        if link.startswith("socket:["):
            inodes.add(int(link[8:-1]))
    return inodes


def _title(pid: int) -> str:
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return str(pid)
    first = command[0].decode(errors="replace")
    if first.rsplit("/", 1)[-1].startswith("python") and len(command) > 2:
        first = command[2 if command[1].startswith(b"-") else 1].decode(errors="replace")
    return first.split(" ")[0].rsplit("/", 1)[-1] or str(pid)
