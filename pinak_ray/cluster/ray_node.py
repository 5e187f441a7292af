"""One Ray head of our own: started, found again, and stopped without its neighbours.

`ray stop` ends every Ray on the machine, and a bare `ray.init()` joins whichever it finds; so the
head runs as one `ray start --block` process in a session of its own, and is known by its pid, when
it began, and the home's directory in its command line.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pinak_ray.client.over_ray.session import LOOPBACK, LOOPBACK_ENVIRONMENT
from pinak_ray.client.over_ray.tokens import make_ray_token, ray_token_environment
from pinak_ray.cluster.ports import Ports
from pinak_ray.cluster.process import Process, end, own_processes
from pinak_ray.records.errors import SetupError, Unavailable

__all__ = ["RayNode"]

# Ray starts its workers at nice 15, behind everything else on the machine. Ours serve callers who
# wait; the Indexer lowers itself.
_PRIORITY = {"RAY_worker_niceness": "0"}
# Where another Ray of this user is, and what its jobs get: not ours.
_OTHERS = frozenset({"RAY_ADDRESS", "RAY_NAMESPACE", "RAY_TMPDIR", "RAY_RUNTIME_ENV"})

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_HAPROXY_GRACE_S = 2.0
_POLL_S = 0.05
# Sockets lie below it: HAProxy's path has 97 bytes, of which the node's id and its name take 68.
_MAX_PARENT = 97 - 68
# HAProxy reads its file by words, and the wrapper's sed by `|`.
_PLAIN = re.compile(r"[A-Za-z0-9._/+-]+")
_TEMPORARY_OPTION = "--temp-dir="


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
    def directory_name(self) -> str:
        """What the directory of this home's short-lived files is called, wherever it lies."""
        digest = blake2b(os.fsencode(self.home.resolve()), digest_size=5).hexdigest()
        return f"pinak-{digest}"

    @property
    def temporary(self) -> Path:
        """Ray's directory: the running head's own, whatever TMPDIR says now."""
        head = self._head()
        return _temporary_of(head) if head is not None else self._new_temporary()

    def pid(self) -> int | None:
        """Return the head's pid while it lives; a zombie or a reused pid does not count."""
        head = self._head()
        return None if head is None else head.pid

    def address(self) -> str:
        """Return the address of the running head; raises Unavailable when none runs."""
        head = self._head()
        if head is None:
            raise Unavailable(f"no Ray head of {self.home} runs; run `pinak-ray up`")
        given = dict(each.split("=", 1) for each in head.arguments if each.startswith("--port="))
        return f"{LOOPBACK}:{given['--port']}"

    def _head(self) -> Process | None:
        """Return the process that the pid file names; if it is damaged or stale, look for it."""
        with suppress(OSError, ValueError, IndexError):
            fields = self._pid_file.read_text(encoding="ascii").split()
            kept = Process(int(fields[0]), fields[2], fields[3])
            if kept.lives and self._is_head(kept):
                return kept
        return next(own_processes(self._is_head), None)

    def _is_head(self, process: Process) -> bool:
        arguments = process.arguments
        return (
            {"start", "--head"} <= set(arguments)
            and any(
                each.startswith(_TEMPORARY_OPTION) and each.endswith(f"/{self.directory_name}/ray")
                for each in arguments
            )
            and process.stands_in(self.home)
        )

    def start(
        self,
        ports: Ports,
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
        make_ray_token(self.home)
        self._make_temporary()
        on_progress("starting Ray")
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(
                self._command(ports, num_cpus),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.home,
                env=self._environment(ports, environment),
            )
        self._note(process.pid, f"{LOOPBACK}:{ports.gcs}")
        self._await_gcs(process)
        return f"{LOOPBACK}:{ports.gcs}"

    def _command(self, ports: Ports, num_cpus: int | None) -> list[str]:
        command = [
            # -P: a file in the home that is called like a module is none.
            sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block",
            f"--node-ip-address={LOOPBACK}",
            f"--port={ports.gcs}",
            f"--ray-client-server-port={ports.ray_client}",
            f"--dashboard-agent-listen-port={ports.agent}",
            f"--metrics-export-port={ports.ray_metrics}",
            f"--dashboard-host={LOOPBACK}",
            f"--dashboard-port={ports.dashboard}",
            "--include-dashboard=false",
            "--disable-usage-stats",
            "--min-worker-port=0",
            "--max-worker-port=0",
            f"{_TEMPORARY_OPTION}{self._new_temporary()}",
        ]  # fmt: skip
        if num_cpus is not None:
            command.append(f"--num-cpus={num_cpus}")
        return command

    def _environment(self, ports: Ports, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name not in _OTHERS},
            "AUTOSCALER_METRIC_PORT": str(ports.autoscaler_metrics),
            "DASHBOARD_METRIC_PORT": str(ports.dashboard_metrics),
            # What is logged and stored is UTF-8, also where the user's locale is C.
            "PYTHONUTF8": "1",
            **environment,
            **LOOPBACK_ENVIRONMENT,
            **_PRIORITY,
            **ray_token_environment(self.home),
        }

    def _note(self, pid: int, address: str) -> None:
        process = Process.of(pid)
        seen = "" if process is None else f"{process.started} {process.boot}\n"
        self._pid_file.write_text(f"{pid} {address}\n{seen}", encoding="ascii")

    def _new_temporary(self) -> Path:
        for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the owner is checked
            path = Path(base) / self.directory_name / "ray"
            if len(os.fsencode(path.parent)) <= _MAX_PARENT and _PLAIN.fullmatch(str(path)):
                return path
        return path

    def _make_temporary(self) -> None:
        """Make the directory anew, closed to other users: HAProxy's admin socket lies in it."""
        parent = self._new_temporary().parent
        if parent.is_symlink() or (parent.exists() and parent.stat().st_uid != os.geteuid()):
            raise SetupError(f"{parent} belongs to somebody else; remove it or set TMPDIR")
        shutil.rmtree(parent, ignore_errors=True)
        try:
            parent.mkdir(mode=0o700)
            (parent / "ray").mkdir(mode=0o700)
        except OSError as error:
            raise SetupError(
                f"cannot make {parent} for sockets ({error.strerror}); set TMPDIR to a short path "
                "of a directory that you may write to"
            ) from error

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

    def stop(self) -> bool:
        """Stop the head and everything it started, and tell whether anything ran."""
        head = self._head()
        temporary = self.temporary
        if head is not None:
            head.send(signal.SIGTERM)
            self._await_end(head)
        left = self.end_haproxy()
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(temporary.parent, ignore_errors=True)
        return head is not None or left

    def keep_logs(self) -> None:
        """Copy what Ray and its actors said into the home, before a stop removes it."""
        kept = self.home / "ray-logs"
        shutil.rmtree(kept, ignore_errors=True)
        with suppress(OSError):
            shutil.copytree(self.temporary / "session_latest" / "logs", kept)

    def end_haproxy(self) -> bool:
        """End this home's HAProxy, which outlives a head that is killed; tell whether one lived."""
        left = list(own_processes(self._is_haproxy))
        end(left, grace_s=_HAPROXY_GRACE_S)
        return bool(left)

    def _is_haproxy(self, process: Process) -> bool:
        arguments = process.arguments
        return (
            bool(arguments)
            and Path(arguments[0]).name == "haproxy"
            and any(f"/{self.directory_name}/" in each for each in arguments)
            and process.stands_in(self.home)
        )

    def _await_end(self, head: Process) -> None:
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            if not head.lives:
                return
            time.sleep(_POLL_S)
        try:
            os.killpg(head.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise Unavailable(f"Ray (pid {head.pid}) does not stop; end it by hand") from error


def _temporary_of(head: Process) -> Path:
    options = (each for each in head.arguments if each.startswith(_TEMPORARY_OPTION))
    return Path(next(options).removeprefix(_TEMPORARY_OPTION))
