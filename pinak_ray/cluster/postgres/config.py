"""What the embedded server is told: its settings and the text of `pinak.conf`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Machine", "ServerSettings", "render_config", "this_machine"]

_MIB = 1024 * 1024
# A quarter of the memory, as PostgreSQL's manual has it. Among a million memories a recall takes
# 150 ms with 6 GB and 265 with one: with one, the walks of the segments' indexes fetch each page
# from the system.
_MOST_BUFFERS_MB = 8192

_SAME_EVERYWHERE = {
    # Only the unix socket, in a directory that only the owner may enter.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "wal_compression": "off",
    "jit": "off",
    "autovacuum": "on",
    "autovacuum_naptime": "30s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    # Seven files, one a weekday, each begun anew after a week.
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """The resources that the server's settings depend on; sizes in MiB."""

    cores: int
    memory_mb: int
    shared_memory_mb: int | None
    """Size of /dev/shm, or None where there is none."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of the embedded server; the defaults suit one machine that also runs Ray.

    Sizes are in MiB, times in seconds. `extra` holds further PostgreSQL settings by name and wins
    over everything else.
    """

    shared_buffers_mb: int | None = None
    """None: a quarter of the memory, at most 8,192 (`cluster.postgres.config._MOST_BUFFERS_MB`)."""
    maintenance_work_mem_mb: int = 256
    max_wal_size_mb: int = 2048
    checkpoint_timeout_s: int = 600
    max_connections: int = 200
    extra: Mapping[str, str] = field(default_factory=dict)


def this_machine() -> Machine:
    """Measure this machine; a container's memory limit counts as its memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, int(Path(limit).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    try:
        shm = os.statvfs("/dev/shm")  # noqa: S108 - asked for its size, nothing is written there
        shared: int | None = shm.f_blocks * shm.f_frsize // _MIB
    except OSError:
        shared = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Machine(cores=cores or 1, memory_mb=memory // _MIB, shared_memory_mb=shared)


def render_config(
    settings: ServerSettings, machine: Machine, *, socket_dir: Path, durable: bool
) -> str:
    """Return the text of `pinak.conf`; `durable=False` gives up crash safety for speed (tests)."""
    buffers = settings.shared_buffers_mb or min(max(machine.memory_mb // 4, 256), _MOST_BUFFERS_MB)
    safe = "on" if durable else "off"
    socket_list = '"{}"'.format(str(socket_dir).replace('"', '""'))
    values = {
        **_SAME_EVERYWHERE,
        "unix_socket_directories": socket_list,
        "max_connections": str(settings.max_connections),
        "fsync": safe,
        "full_page_writes": safe,
        "synchronous_commit": safe,
        "shared_buffers": f"{buffers}MB",
        "maintenance_work_mem": f"{settings.maintenance_work_mem_mb}MB",
        # 2 GB keeps the recovery after a crash within seconds; 4 GB was measured at 19 s.
        "max_wal_size": f"{settings.max_wal_size_mb}MB",
        "checkpoint_timeout": f"{settings.checkpoint_timeout_s}s",
        "max_worker_processes": str(max(8, machine.cores + 4)),
        "max_parallel_workers": str(max(1, machine.cores)),
        "max_parallel_maintenance_workers": str(machine.cores - 1),
    }
    shared = machine.shared_memory_mb
    if shared is not None and shared < 2 * settings.maintenance_work_mem_mb:
        # A container's /dev/shm is often 64 MiB; a parallel index build needs maintenance_work_mem.
        values["dynamic_shared_memory_type"] = "sysv"
    values.update(settings.extra)
    lines = [f"{name} = {_quoted(value)}" for name, value in values.items()]
    return "\n".join(
        ["# Written by pinak-ray at each start; use ALTER SYSTEM to override.", *lines, ""]
    )


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
