"""Who answers on the home's port: our own stack, another one, or nobody."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pinak_ray.client.identity import check_own
from pinak_ray.records.errors import NotRunning
from pinak_ray.security.keys import KeyRing, jwks


class _Gateway:
    said: bytes = b""
    status = 200
    url = ""


@pytest.fixture
def gateway() -> Iterator[_Gateway]:
    """A server on a free port that publishes what it is told to."""
    one = _Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(one.status)
            self.send_header("Content-Length", str(len(one.said)))
            self.end_headers()
            self.wfile.write(one.said)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        one.url = f"http://127.0.0.1:{server.server_port}"
        yield one
        server.shutdown()
        thread.join()


def published(*homes: Path) -> bytes:
    """Return what a gateway of these homes' keys says."""
    keys = [key for home in homes for key in KeyRing.load_or_create(home / "keys").public_keys]
    return json.dumps(jwks(keys)).encode()


def test_the_own_stack_is_known_by_any_of_its_keys(gateway: _Gateway, tmp_path: Path) -> None:
    """Also after a rotation, and where one database serves two homes; no proxy is asked."""
    gateway.said = published(tmp_path / "a", tmp_path / "b")
    check_own(gateway.url, tmp_path / "a")
    KeyRing.load_or_create(tmp_path / "b" / "keys").rotate()
    check_own(gateway.url, tmp_path / "b")


@pytest.mark.parametrize("said", [None, b"", b"null", b"[]", b'{"keys": [{}]}', b'{"keys": 1}'])
def test_another_stack_is_named(gateway: _Gateway, tmp_path: Path, said: bytes | None) -> None:
    """A stack with other keys, and what is no stack at all, is told so."""
    KeyRing.load_or_create(tmp_path / "a" / "keys")
    gateway.said = published(tmp_path / "b") if said is None else said
    with pytest.raises(NotRunning, match="another stack answers"):
        check_own(gateway.url, tmp_path / "a")


def test_a_front_door_without_gateways_is_no_other_stack(gateway: _Gateway, tmp_path: Path) -> None:
    """HAProxy's own 503 says that nobody is behind it, not who."""
    gateway.status = 503
    with pytest.raises(NotRunning, match="no replica"):
        check_own(gateway.url, tmp_path)


def test_nobody_is_named(tmp_path: Path) -> None:
    """Where nobody listens, the address and what to do are said."""
    with pytest.raises(NotRunning, match=r"127\.0\.0\.1:1 .*pinak-ray up"):
        check_own("http://127.0.0.1:1", tmp_path)
