"""One process, told from a stranger that was given its number later.

A pid is used again, and after a reboot soon: so a process is its pid, when it began, and in which
boot. Where the system does not say (no /proc), nothing is known, and so nothing is ended.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Process", "end", "own_processes"]

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_DEAD = frozenset("ZXx")
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this boot that was seen alive."""

    pid: int
    started: str
    """Clock ticks since the boot, as the kernel writes them."""
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the living process of this number; None when there is none, or a zombie."""
        try:
            stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
            boot = _BOOT.read_text(encoding="ascii").strip()
        except OSError:
            return None
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in _DEAD else cls(pid, fields[18], boot)

    @property
    def lives(self) -> bool:
        """Whether this very process, and no later one of its number, runs."""
        return Process.of(self.pid) == self

    @property
    def arguments(self) -> list[str]:
        """Its command line; empty when it is gone or not ours to read."""
        try:
            raw = (_PROC / str(self.pid) / "cmdline").read_bytes()
        except OSError:
            return []
        return [os.fsdecode(each) for each in raw.split(b"\0")[:-1]]

    def stands_in(self, directory: Path) -> bool:
        """Tell whether its working directory is this one, not just one of the same name."""
        try:
            return os.path.samestat((_PROC / str(self.pid) / "cwd").stat(), directory.stat())
        except OSError:
            return False

    def send(self, number: signal.Signals) -> None:
        """Signal this process, and never a later one of its number."""
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.lives:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)


def own_processes(is_meant: Callable[[Process], bool]) -> Iterator[Process]:
    """Yield this user's living processes for which `is_meant` is true."""
    if not _BOOT.exists():
        return
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if entry.stat().st_uid != os.geteuid():
                continue
            process = Process.of(int(entry.name))
            if process is not None and is_meant(process):
                yield process


def end(processes: list[Process], *, grace_s: float) -> None:
    """Ask each to end, and after `grace_s` seconds end it."""
    deadline = time.monotonic() + grace_s
    for process in processes:
        process.send(signal.SIGTERM)
    while any(process.lives for process in processes):
        if time.monotonic() > deadline:
            for process in processes:
                process.send(signal.SIGKILL)
            deadline += grace_s
        time.sleep(_POLL_S)
