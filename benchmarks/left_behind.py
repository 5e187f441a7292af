"""End a benchmark's stack once the benchmark has ended, in whatever way, SIGKILL included.

`python -m benchmarks.left_behind HOME` waits until its standard input ends, which the benchmark
holds, and then takes down what is left in HOME. What ends well has removed HOME before.
"""

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["end_stack", "watch"]


def watch(place: Path) -> "subprocess.Popen[bytes]":
    """Start the watcher of a benchmark's directory; it outlives the benchmark, and Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.left_behind", str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_stack(place: Path) -> None:
    """Stop whatever runs of the stack in this directory, and remove it with its data."""
    from pinak_ray.cluster.postgres.server import EmbeddedPostgres
    from pinak_ray.cluster.settings import Settings
    from pinak_ray.cluster.stack import down

    settings = Settings(home=place / "home", dsn=None)
    try:
        down(settings)
    finally:
        # As root the server's data may lie elsewhere, where its own user can reach it.
        for each in (EmbeddedPostgres(settings.home / "postgres").home, place):
            shutil.rmtree(each, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    if (left := Path(sys.argv[1])).exists():
        end_stack(left)
