"""What HAProxy says by itself, and where it listens: the real program, over Serve's own file."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from waiting import until

from pinak_ray.cluster.ingress import write_haproxy_wrapper
from pinak_ray.cluster.ports import free_port

# As Serve writes it, without the gateways.
_FILE = """
defaults
    mode http
    timeout connect 5s
    timeout client 3600s
    timeout server 60s
    errorfile 503 {plain}
frontend http_frontend
    bind *:{port}
    default_backend nobody
backend nobody
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that HAProxy is to read."""
    (tmp_path / "500.http").write_bytes(b"HTTP/1.1 500 Internal Server Error\r\n\r\nx")
    path = tmp_path / "haproxy.cfg"
    port = free_port()
    path.write_text(_FILE.format(plain=tmp_path / "500.http", port=port), encoding="utf-8")
    return path


@pytest.fixture
def url(tmp_path: Path, file: Path) -> Iterator[str]:
    """HAProxy started as Serve starts it, with nobody behind it."""
    write_haproxy_wrapper(tmp_path)
    port = file.read_text(encoding="utf-8").partition("*:")[2].split()[0]
    process = subprocess.Popen([tmp_path / "haproxy", "-db", "-f", file])
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=30)


async def test_without_a_gateway_it_answers_as_the_gateway_would(url: str) -> None:
    """A client finds the code, and when to come again, and no page of HAProxy's."""

    def asked() -> httpx.Response | None:
        try:
            return httpx.get(f"{url}/v1/stats")
        except httpx.ConnectError:  # it has not bound its port yet
            return None

    answer = await until(asked, what="HAProxy answers")
    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"


async def test_its_file_is_closed_to_others_and_to_the_slow(url: str, file: Path) -> None:
    """It listens on loopback alone, and a request's head has seconds and not an hour."""

    def edited() -> str:
        text = file.read_text(encoding="utf-8")
        return text if "timeout http-request 10s" in text else ""

    text = await until(edited, what="the file is edited")
    assert "bind 127.0.0.1:" in text
    assert "*:" not in text
