"""The short form of the chaos benchmark, on a stack of its own whose PostgreSQL may be killed."""

import json
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(900)]

VICTIMS = ("host", "writer", "gateway", "supervisor", "postgres")
DEADLINE_S = 600
CLEAN_UP_S = 120


def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """32 agents write over Ray and HTTP while five parts are killed, one after the other."""
    command = [sys.executable, "-m", "benchmarks.chaos", "--json"]
    command += ["--rounds", str(len(VICTIMS)), "--victims", ",".join(VICTIMS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as chaos:
        try:
            printed, _ = chaos.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            chaos.send_signal(signal.SIGINT)  # it takes its stack down before it ends
            chaos.communicate(timeout=CLEAN_UP_S)
            raise
    report = json.loads(printed)
    with capfd.disabled():
        sys.stdout.write(f"\nrecovery in seconds: {json.dumps(report['recovery_s'])}\n")

    assert report["troubles"] == []
    assert (report["lost"], report["duplicated"], report["reordered"]) == (0, 0, 0)
    assert report["unseen"] == 0
    assert report["found"] == report["acknowledged"] > 0
    assert set(report["recovery_s"]) == set(VICTIMS)
    assert chaos.returncode == 0
