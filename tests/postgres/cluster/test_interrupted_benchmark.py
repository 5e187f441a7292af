"""What a benchmark starts ends with it, however it ends."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from pinak_ray.cluster.postgres.process import server_processes
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from tests.support.waiting import until

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGTERM), (signal.SIGKILL,)])
async def test_an_interrupted_benchmark_leaves_nothing(
    reachable_dir: Path, signals: tuple[signal.Signals, ...]
) -> None:
    """Ctrl-C by somebody impatient, or SIGKILL: its PostgreSQL and the data are gone."""
    place = reachable_dir / signals[0].name
    place.mkdir()
    place.chmod(0o711)
    said = place / "said"
    with said.open("wb") as out:
        benchmark = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.working", "--rounds", "1"),
            env=os.environ | {"TMPDIR": str(place)},
            stdout=out,
            stderr=out,
        )
    try:
        await until(
            lambda: b"migrating" in said.read_bytes() or benchmark.returncode is not None,
            what="its PostgreSQL answers",
            deadline_s=300,
        )
        (home,) = place.glob("pinak-bench-*/home")
        server = EmbeddedPostgres(home / "postgres")
        cluster = server.home / "cluster"
        assert server.postmaster_pid in server_processes(cluster), said.read_text()
        for each in signals:
            benchmark.send_signal(each)
        async with asyncio.timeout(300):
            await benchmark.wait()
    finally:
        if benchmark.returncode is None:
            benchmark.kill()
            await benchmark.wait()

    await until(lambda: not server_processes(cluster), what="the server ended", deadline_s=300)
    await until(lambda: not home.parent.exists(), what="its data is gone", deadline_s=300)
