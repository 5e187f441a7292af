"""What HAProxy lets in and says by itself: the real program, over a file as Serve writes it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from pinak_ray.cluster.haproxy import most_connections
from pinak_ray.cluster.ingress import write_haproxy_wrapper
from tests.support.ports import free_port
from tests.support.waiting import until

# As Serve writes it, with one gateway, and a path that has none.
_FILE = """
global
    maxconn {connections}
    log 127.0.0.1:514 local0 info
    stats socket {directory}/admin.sock mode 666 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 3600s
    timeout server 60s
    timeout http-keep-alive 90s
    log global
    option httplog
    option splice-request
    errorfile 502 {directory}/plain.http
    errorfile 503 {directory}/plain.http
frontend http_frontend
    bind *:{port}
    acl is_app path_beg /v1
    acl is_gone path_beg /gone
    use_backend app if is_app
    use_backend gone if is_gone
    default_backend default_backend
backend default_backend
    http-request return status 404 content-type text/plain lf-string "Path \'%[path]\' not found."
backend gone
backend app
    timeout http-keep-alive 90s
    server one 127.0.0.1:{gateway}
"""


@pytest.fixture
async def gateway() -> AsyncIterator[int]:
    """A server that answers with the head of the request it was sent."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(65_536):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def file(tmp_path: Path, gateway: int) -> tuple[Path, int]:
    """The file that HAProxy is to read, and its port."""
    path = tmp_path / "haproxy.cfg"
    (tmp_path / "plain.http").write_bytes(b"HTTP/1.1 500 Internal Server Error\r\n\r\nx")
    port = free_port()
    text = _FILE.format(
        connections=most_connections(), directory=tmp_path, port=port, gateway=gateway
    )
    path.write_text(text, encoding="utf-8")
    return path, port


@pytest.fixture
async def port(tmp_path: Path, file: tuple[Path, int]) -> AsyncIterator[int]:
    """HAProxy started as Serve starts it."""
    write_haproxy_wrapper(tmp_path)
    path, port = file
    process = await asyncio.create_subprocess_exec(tmp_path / "haproxy", "-db", "-f", path)

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until(listens, what="HAProxy listens")
    yield port
    process.terminate()
    await asyncio.wait_for(process.wait(), 30)


async def sent(port: int, request: bytes) -> bytes:
    """Return all that comes back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("path", ["/gone/x", "/nowhere?q=1", "/"])
async def test_without_a_gateway_it_answers_as_the_gateway_would(port: int, path: str) -> None:
    """A client finds the code, and when to come again, and no page of HAProxy's or Serve's."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "line",
    [
        b"X-Request-Id: \xff",
        "X-Request-Id: caf\u00e9".encode(),
        b"X-Request-Id: a b<c>",
        b"x-request-id: " + b"a" * 129,
        b"X-Request-Id: one\r\nX-Request-Id: two",
        b"X-Request-Id:",
        b"serve_multiplexed_model_id: \xff",
        b"Serve-Multiplexed-Model-Id: x",
        b"X-Session-Id: \xff",
        b"x_session_id: y",
        b"X-Request-Timeout-Seconds: 0.001",
        b"X-Request-Disconnect-Disabled: ?1",
    ],
)
async def test_what_would_break_or_steer_serve_does_not_reach_it(port: int, line: bytes) -> None:
    """A header that is a 500 there, or an id that its answer and its log would not agree on."""
    head = b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Other: %b\r\n" % b"\xe9"
    answer = await sent(port, head + line + b"\r\n\r\n")
    name = line.partition(b":")[0].lower()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"x-other:" in answer.lower()
    assert name not in answer.lower()


@pytest.mark.parametrize("given", ["a", "01a229e4-d360-71ff-8cc1-7692624068b7", "T.1_b-" * 21])
async def test_an_id_that_is_sane_is_the_callers(port: int, given: str) -> None:
    """It comes through as it was sent."""
    head = "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: "
    assert (
        f"x-request-id: {given}\r\n"
        in (await sent(port, f"{head}{given}\r\n\r\n".encode())).decode()
    )


async def test_an_idle_connection_ends(port: int) -> None:
    """One that was answered and says nothing more is closed: enough of them are all there are."""
    answer = await sent(port, b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_its_file_is_closed_to_others_and_to_the_slow(port: int, file: tuple[Path, int]) -> None:
    """It listens on loopback alone, tells nobody what was asked, and nobody has an hour."""
    text = file[0].read_text(encoding="utf-8")
    assert f"bind 127.0.0.1:{port}" in text
    assert "*:" not in text
    assert ":514" not in text
    assert "3600s" not in text
    assert "90s" not in text
