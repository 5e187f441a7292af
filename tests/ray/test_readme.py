"""The README's example runs as it stands, in a directory like a user's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pinak_ray.cluster.settings import Settings

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

README = Path(__file__).parents[2] / "README.md"
FAILURE = "deploy of orders to production failed: migration 42 locks orders"


def run_example(directory: Path, home: Path) -> str:
    """Run the first Python block of the README there, and return what it printed."""
    block = re.search(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
    assert block is not None
    script = directory / "example.py"
    script.write_text(block[1], encoding="utf-8")
    # Of our own variables only the home, and a namespace that no other test remembers in.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PINAK_", "RAY_"))}
    environment |= {"PINAK_HOME": str(home), "PINAK_PROJECT": "readme"}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n")) == (0, 2), done.stderr[-2000:]
    return done.stdout


def test_example_runs_and_warns_the_second_time(stack_settings: Settings, tmp_path: Path) -> None:
    """A user's own actors.py and serve.py are no trouble; the second run is told of the first."""
    for name in ("actors", "serve", "cluster", "migrations"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('the wrong {name}')\n")

    first = run_example(tmp_path, stack_settings.home)
    second = run_example(tmp_path, stack_settings.home)

    assert first == f"[]\n['{FAILURE}']\n"
    assert second.splitlines()[0] == f"['This failed before: {FAILURE}']"
