"""A PgBouncer of one's own before a server; a test is skipped where there is none."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.places import reachable_place
from tests.support.ports import free_port
from tests.support.waiting import until

__all__ = ["pooled"]

_STARTUP = "search_path,jit,plan_cache_mode,statement_timeout,role,timezone"


@asynccontextmanager
async def pooled(dsn: str, *, mode: str, ignoring: bool) -> AsyncIterator[str]:
    """Yield the DSN of a PgBouncer before a server's socket; `ignoring` start parameters or not."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed; `apt-get install pgbouncer`")
    parts = urlsplit(dsn)
    place, port = reachable_place(), free_port()
    query = parse_qs(parts.query)
    socket_dir, server_port = query["host"][0], query["port"][0]
    (place / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    ignored = f"ignore_startup_parameters = {_STARTUP}\n" if ignoring else ""
    (place / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={socket_dir} port={server_port} "
        f"user={parts.username} password={parts.password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {place}/users\npool_mode = {mode}\n"
        f"default_pool_size = 3\n{ignored}"
    )
    for path in [*place.iterdir(), place]:
        path.chmod(0o755)
    process = subprocess.Popen(  # noqa: ASYNC220 - it starts in a moment
        [program, *_as_owner_of(socket_dir), str(place / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await until(lambda: _listens(port), what="PgBouncer listens")
        yield f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(place)


def _as_owner_of(socket_dir: str) -> list[str]:
    """Only the server's own user enters it; and PgBouncer refuses to run as root."""
    owner = pwd.getpwuid(Path(socket_dir).stat().st_uid).pw_name
    return ["-u", owner] if os.geteuid() == 0 else []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
