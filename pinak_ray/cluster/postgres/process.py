"""Which server processes of a cluster live, and what a killed server left behind.

A pid file proves nothing: its process may be gone, a zombie, or a stranger with the same number.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = ["clear_leftovers", "live_postmaster", "server_processes"]

_PROC = Path("/proc")
_DEAD = frozenset("ZXx")
_POLL_S = 0.02
_LOOK_S = 5.0


def live_postmaster(cluster: Path) -> int | None:
    """Return the pid of the cluster's running postmaster; None if it is dead or a zombie."""
    try:
        with (cluster / "postmaster.pid").open(encoding="utf-8") as file:
            pid = int(file.readline())
    except (OSError, ValueError):
        return None
    return pid if _is_server(pid, cluster) else None


def server_processes(cluster: Path) -> list[int]:
    """Return the pids of every living server process of this cluster, the postmaster included."""
    if not (_PROC / "self").exists():
        return []
    return [
        int(entry.name)
        for entry in _PROC.iterdir()
        if entry.name.isdigit() and _is_server(int(entry.name), cluster)
    ]


def clear_leftovers(cluster: Path, socket_dir: Path, *, deadline: float, grace_s: float) -> None:
    """Make way for a new postmaster; call it only under the lock, and when none lives.

    Orphaned backends keep the old shared memory attached, and PostgreSQL then refuses to start:
    they get `grace_s` seconds to notice the death, then SIGKILL (recovery follows in any case).
    The pid files go too, because PostgreSQL takes a zombie's number in them for a live server.

    Raises SetupError if an orphan still runs at `deadline` (of time.monotonic).
    """
    kill_at = time.monotonic() + grace_s
    while orphans := server_processes(cluster):
        now = time.monotonic()
        if now > deadline:
            raise SetupError(
                f"processes {orphans} of a dead server in {cluster} do not end; kill them"
            )
        if now > kill_at:
            for pid in orphans:
                _kill(pid)
        time.sleep(_POLL_S)
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    (socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _is_server(pid: int, cluster: Path) -> bool:
    if not (_PROC / "self").exists():
        return _exists(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    state = stat[stat.rindex(")") + 2]
    # Each server process stays in its data directory; a reused pid is somewhere else.
    return name.startswith("postgres") and state not in _DEAD and _where(pid) == cluster


def _where(pid: int) -> Path | None:
    link = _PROC / str(pid) / "cwd"
    try:
        return link.readlink()
    except PermissionError:
        if os.geteuid() != 0:
            return None
    except OSError:
        return None
    try:
        # Root in a container mostly lacks CAP_SYS_PTRACE; the process's own user may look.
        owner = link.parent.stat()
        done = subprocess.run(
            ["readlink", str(link)],
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=_LOOK_S,
            check=True,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(done.stdout.removesuffix("\n"))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
