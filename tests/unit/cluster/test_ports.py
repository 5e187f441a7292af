"""Each stack has ports of its own."""

import socket
from pathlib import Path

import pytest

from pinak_ray.cluster.ports import Ports, is_free, take_ports
from tests.support.ports import free_port


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_listener_that_shares_its_port_counts(option: int) -> None:
    """What could be bound beside another listener is not free: requests would be shared."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()
        assert not is_free("127.0.0.1", listener.getsockname()[1])


def test_a_home_keeps_its_ports_while_they_are_free(tmp_path: Path) -> None:
    """A stack comes back where it was; where somebody listens in its block, it takes another."""
    first = take_ports(tmp_path)
    assert take_ports(tmp_path) == first
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first.replicas_http[1]))
        stranger.listen()
        second = take_ports(tmp_path)
    assert second != first
    assert take_ports(tmp_path) == second


@pytest.mark.parametrize("damage", ["", "x", "-200", "8500", "20001", "1e3"])
def test_a_damaged_note_is_no_note(tmp_path: Path, damage: str) -> None:
    """Whatever is written there, the block is one of ours."""
    (tmp_path / "ports").write_text(damage)
    assert take_ports(tmp_path).first % 200 == 0


def test_no_port_has_two_owners() -> None:
    """All named ports of a block differ, and lie in it."""
    ports = Ports(20_000)
    named = [
        ports.gcs, ports.ray_client, ports.agent, ports.ray_metrics, ports.dashboard,
        ports.autoscaler_metrics, ports.dashboard_metrics, ports.haproxy_metrics,
        ports.haproxy_stats, ports.fallback_http, ports.fallback_grpc, ports.http,
        *range(ports.replicas_http[0], ports.replicas_http[1] + 1),
        *range(ports.replicas_grpc[0], ports.replicas_grpc[1] + 1),
    ]  # fmt: skip
    assert len(named) == len(set(named))
    assert set(named) <= set(range(20_000, 20_200))
    assert Ports.of("127.0.0.1:20000") == ports
