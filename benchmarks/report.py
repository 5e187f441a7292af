"""What every benchmark shares: a stack of its own, the report's form, and progress on stderr."""

import argparse
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.left_behind import end_stack, watch
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import up

__all__ = ["fresh_stack", "machine", "parser", "percentile", "print_report", "progress", "spread"]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have."""
    options = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    options.add_argument("--json", action="store_true", help="accepted; JSON is the only output")
    options.add_argument("--rounds", type=int, default=3, help="rounds; medians are reported")
    return options


def progress(message: str) -> None:
    """Say what goes on, on standard error."""
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


@contextmanager
def fresh_stack(**overrides: Any) -> Iterator[Settings]:
    """Start a stack in a new directory, and take both away afterwards, however this ends."""
    place = Path(tempfile.mkdtemp(prefix="pinak-bench-"))
    place.chmod(0o711)  # the embedded server's own user must be able to enter
    settings = Settings(home=place / "home", http_port=0, **overrides)
    watcher = watch(place)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress("starting a stack")
    with _stdout_kept_clean():
        try:
            up(settings, progress=progress)
            yield settings
        finally:
            for asked in (signal.SIGINT, signal.SIGTERM):  # again, by somebody impatient
                signal.signal(asked, signal.SIG_IGN)
            progress("stopping the stack")
            end_stack(place)
            watcher.communicate()


@contextmanager
def _stdout_kept_clean() -> Iterator[None]:
    """Send what Ray and its children print to standard error: the report stands alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> float:
    """Return (max - min) / median: how far the rounds lie apart."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def machine() -> dict[str, Any]:
    """Return where and when this was measured."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "kernel": platform.release().split("-")[0],
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).date().isoformat(),
    }


def print_report(report: dict[str, Any]) -> None:
    """Print the one JSON object."""
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
