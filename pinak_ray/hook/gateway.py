"""The way to the gateway: where it is, with which token, and one question to it."""

import json
import os
import socket
import time
import zlib
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

__all__ = ["Namespace", "Refused", "ask", "cached_token", "check_own", "fresh_token", "running_url"]

_LIFETIME_S = 24 * 3600
# A clock may be a little off; the token is renewed before the gateway calls it expired.
_MARGIN_S = 300
_MAX_ANSWER_BYTES = 1 << 20


class Namespace(NamedTuple):
    """Whose failures count, on the stack of which home."""

    home: Path
    tenant: str
    project: str

    @property
    def token_file(self) -> Path:
        """Return where its token is kept: names may hold what paths may not, a checksum does not.

        Two namespaces may share a file; it says whose token it holds.
        """
        checksum = zlib.crc32(f"{self.tenant}\0{self.project}".encode())
        return self.home / f"hook_token-{checksum:08x}.json"


class Refused(Exception):
    """The gateway answered, but not with nudges."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the gateway answered with status {status}")


def running_url(home: Path) -> str:
    """Return the gateway that this home's StackFile names; raises FileNotFoundError."""
    try:
        url = json.loads((home / "stack.json").read_bytes())["url"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        url = None
    if not isinstance(url, str):
        raise FileNotFoundError(f"no gateway runs in {home}; start one with `pinak-ray up`")
    return url


def ask(url: str, token: str, request: dict[str, Any], *, timeout_s: float) -> list[dict[str, Any]]:
    """Return the gateway's nudges; raises Refused, OSError, ValueError.

    `timeout_s` holds for each step alone.
    """
    if not token.isascii() or not token.isprintable() or not token:
        raise ValueError("PINAK_TOKEN is missing or malformed; `pinak-ray token` makes one")
    body = json.dumps(request).encode()
    head = (
        f"Authorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    status, answer = _exchange(url, "POST", "/v1/nudges", head, body, timeout_s)
    if status != HTTPStatus.OK:
        raise Refused(status)
    nudges: list[dict[str, Any]] = json.loads(answer)["nudges"]
    return nudges


def check_own(url: str, home: Path, *, timeout_s: float) -> None:
    """Return when the home's own stack answers at `url`; raises Refused, OSError, ValueError.

    As `pinak_ray.client.identity` does: after a crash another stack may have taken the port.
    """
    own = {path.name.split(".")[1] for path in (home / "keys").glob("*.*.pem")}
    status, answer = _exchange(url, "GET", "/.well-known/jwks.json", "", b"", timeout_s)
    if status != HTTPStatus.OK:
        raise Refused(status)
    if own.isdisjoint(key["kid"] for key in json.loads(answer)["keys"]):
        raise ValueError("another stack answers on this home's port; nothing was sent to it")


def _exchange(
    url: str, method: str, path: str, head: str, body: bytes, timeout_s: float
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname is None:
        raise ValueError("the gateway's URL must begin with http:// or https://")
    first = f"{method} {parts.path.rstrip('/')}{path} HTTP/1.0\r\nHost: {parts.netloc}\r\n"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with closing(_connect(parts.hostname, port, parts.scheme == "https", timeout_s)) as connection:
        connection.sendall(f"{first}{head}\r\n".encode() + body)
        return _read_answer(connection)


def _connect(host: str, port: int, secure: bool, timeout_s: float) -> socket.socket:
    connection = socket.create_connection((host, port), timeout_s)
    if not secure:
        return connection
    import ssl

    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body. In HTTP/1.0 the answer is whole and ends with the connection.

    That little is written here because importing http.client, with the mail parser that it
    needs for its headers, takes as long as all else that the hook does before it asks.
    """
    raw = bytearray()
    while len(raw) < _MAX_ANSWER_BYTES and (chunk := connection.recv(65_536)):
        raw += chunk
    head, _, body = bytes(raw).partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("what answers at the gateway's URL does not speak HTTP")
    return int(rest[:3]), body


def cached_token(namespace: Namespace) -> str | None:
    """Return the namespace's token if one is kept that still holds."""
    try:
        kept = json.loads(namespace.token_file.read_bytes())
        ours = kept["namespace"] == [namespace.tenant, namespace.project]
        holds = kept["expires_at"] - _MARGIN_S > time.time()
        return str(kept["token"]) if ours and holds else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def fresh_token(namespace: Namespace) -> str:
    """Sign a token that may ask for any agent, for a day, and keep it (0600); raises SetupError.

    Takes a second, as it imports what signs. Keeping it gives nothing away: who can read the file
    can read the signing keys beside it.
    """
    from datetime import timedelta

    from pinak_ray.cluster.settings import Settings
    from pinak_ray.cluster.tokens import mint
    from pinak_ray.records.ids import NamespaceKey
    from pinak_ray.security.scopes import Scope

    token = mint(
        Settings(home=namespace.home),
        "hook",
        namespace=NamespaceKey(namespace.tenant, namespace.project),
        scopes=(Scope.READ, Scope.WRITE, Scope.AGENTS),
        lifetime=timedelta(seconds=_LIFETIME_S),
    )
    # Many hooks may do this at once: each writes its own file, and the last one stays.
    new = namespace.token_file.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        kept = {"token": token, "expires_at": time.time() + _LIFETIME_S}
        json.dump({"namespace": [namespace.tenant, namespace.project], **kept}, file)
    new.replace(namespace.token_file)
    return token
