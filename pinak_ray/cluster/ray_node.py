"""One Ray head of our own: started, found again, and stopped without its neighbours.

`ray stop` ends every Ray on the machine, and a bare `ray.init()` joins whichever it finds; so the
head runs as one `ray start --block` process in a session of its own, and its pid is kept.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pinak_ray.client.discovery import ray_token_environment
from pinak_ray.client.ray_session import LOOPBACK, LOOPBACK_ENVIRONMENT
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["RayNode"]

# Ray starts its workers at nice 15, behind everything else on the machine. Ours serve callers who
# wait; the Indexer lowers itself.
_PRIORITY = {"RAY_worker_niceness": "0"}

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.05


# Serve's replicas have 30000 and up.
_OWN_PORTS = (20_000, 29_999)


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different.

    From below the range that systems give to outgoing connections (32768 on Linux, 49152 elsewhere)
    and that Ray's workers listen in: a port is bound seconds later, and must still be free then.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randint(*_OWN_PORTS)  # noqa: S311 - so that two stacks seldom meet
        with socket.socket() as one:
            try:
                one.bind((LOOPBACK, port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


@dataclass(frozen=True, slots=True)
class RayNode:
    """The head node of one home directory."""

    home: Path

    @property
    def _pid_file(self) -> Path:
        return self.home / "ray.pid"

    @property
    def log_file(self) -> Path:
        """Where the head's own output goes; its actors log under `temporary`."""
        return self.home / "ray.log"

    @property
    def temporary(self) -> Path:
        """Short: sockets below it must have paths of at most 97 bytes (HAProxy) and 107 (Ray)."""
        digest = blake2b(str(self.home.resolve()).encode(), digest_size=5).hexdigest()
        return Path(tempfile.gettempdir()) / f"pinak-{digest}" / "ray"

    def pid(self) -> int | None:
        """Return the head's pid while it lives; a zombie or a reused pid does not count."""
        try:
            pid = int(self._pid_file.read_text(encoding="ascii").split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            state = (
                Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
            )
        except (OSError, ValueError, IndexError):
            return None
        return pid if state != "Z" and b"start" in command and b"--head" in command else None

    def address(self) -> str:
        """Return the address of the head that was started last."""
        return self._pid_file.read_text(encoding="ascii").split()[1]

    def start(
        self,
        *,
        num_cpus: int | None,
        environment: Mapping[str, str],
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> str:
        """Start the head if none lives, and return its address once it answers.

        Raises SetupError with the end of its log when it does not come up.
        """
        if self.pid() is not None:
            return self.address()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make_temporary()
        port, client_port, agent_port, metrics_port, dashboard_port = free_ports(5)
        command = [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
            f"--node-ip-address={LOOPBACK}",
            f"--port={port}",
            f"--ray-client-server-port={client_port}",
            f"--dashboard-agent-listen-port={agent_port}",
            f"--metrics-export-port={metrics_port}",
            f"--dashboard-host={LOOPBACK}",
            f"--dashboard-port={dashboard_port}",
            "--include-dashboard=false",
            "--disable-usage-stats",
            "--min-worker-port=0",
            "--max-worker-port=0",
            f"--temp-dir={self.temporary}",
        ]  # fmt: skip
        if num_cpus is not None:
            command.append(f"--num-cpus={num_cpus}")
        on_progress("starting Ray")
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.home,
                env={
                    **os.environ,
                    **environment,
                    **LOOPBACK_ENVIRONMENT,
                    **_PRIORITY,
                    **ray_token_environment(self.home, create=True),
                },
            )
        address = f"{LOOPBACK}:{port}"
        self._pid_file.write_text(f"{process.pid} {address}\n", encoding="ascii")
        self._await_gcs(process)
        return address

    def _make_temporary(self) -> None:
        """Make the directory anew, closed to other users: HAProxy's admin socket lies in it."""
        parent = self.temporary.parent
        if parent.is_symlink() or (parent.exists() and parent.stat().st_uid != os.getuid()):
            raise SetupError(f"{parent} belongs to somebody else; remove it or set TMPDIR")
        shutil.rmtree(parent, ignore_errors=True)
        parent.mkdir(mode=0o700)
        self.temporary.mkdir(mode=0o700)

    def _await_gcs(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            # The head prints this line once GCS and raylet both answered.
            if b"Ray runtime started" in self.log_file.read_bytes():
                return
            time.sleep(_POLL_S)
        tail = self.log_file.read_text(encoding="utf-8", errors="replace")[-2000:]
        self.stop()
        raise SetupError(f"Ray did not start; the end of {self.log_file}:\n{tail}")

    def stop(self) -> None:
        """Stop the head and everything it started; a no-op when none lives."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            self._await_end(pid)
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self.temporary.parent, ignore_errors=True)

    def _await_end(self, pid: int) -> None:
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.pid() is None:
                return
            time.sleep(_POLL_S)
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise Unavailable(f"Ray (pid {pid}) does not stop; end it by hand") from error
