"""The example of a swarm on one incident, as its reader runs it: by itself, on a running stack."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinak_ray.cluster.settings import Settings

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

EXAMPLE = Path(__file__).parents[2] / "examples" / "incident_swarm.py"


def run_example(home: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the example on the stack of this home, in an environment like a user's."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PINAK_", "RAY_"))}
    return subprocess.run(
        [sys.executable, EXAMPLE, *options],
        env=environment | {"PINAK_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_every_promise_is_kept(stack_settings: Settings) -> None:
    """Eight agents lose the host of their board and no finding; the ninth knows and is warned."""
    done = run_example(stack_settings.home, "--json")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    outcome = json.loads(done.stdout)

    assert len(outcome["promises"]) == 8
    assert all(outcome["promises"].values())
    assert outcome["graded"]
    assert 0 < outcome["ninth"]["context"]["tokens"] <= 300
    assert outcome["ninth"]["context"]["saving"] > 0
