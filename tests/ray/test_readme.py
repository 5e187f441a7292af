"""The examples of the README and the quickstart run as they stand, in a directory like a user's."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pinak_ray.cluster.settings import Settings

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

ROOT = Path(__file__).parents[2]
FAILURE = "deploy of orders to production failed: migration 42 locks orders"


def run_example(page: str, directory: Path, home: Path) -> list[str]:
    """Run the first Python block of a page there, and return the lines that it printed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert block is not None
    script = directory / "example.py"
    script.write_text(block[1], encoding="utf-8")
    # Of our own variables only the home, and a namespace that no other test remembers in.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PINAK_", "RAY_"))}
    environment |= {"PINAK_HOME": str(home), "PINAK_PROJECT": Path(page).stem}
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
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_example_runs_and_warns_the_second_time(stack_settings: Settings, tmp_path: Path) -> None:
    """A user's own actors.py and serve.py are no trouble; the second run is told of the first."""
    for name in ("actors", "serve", "cluster", "migrations"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('the wrong {name}')\n")

    first = run_example("README.md", tmp_path, stack_settings.home)
    second = run_example("README.md", tmp_path, stack_settings.home)

    assert first == ["[]", f"['{FAILURE}']"]
    assert second[0] == f"['This failed before: {FAILURE}']"


def test_the_quickstart_warns_the_second_time(stack_settings: Settings, tmp_path: Path) -> None:
    """It finds what it remembered, and is warned of it when it runs again."""
    page = "docs/start/quickstart.md"
    first = run_example(page, tmp_path, stack_settings.home)
    second = run_example(page, tmp_path, stack_settings.home)

    assert first == [f"found: {FAILURE}"]
    assert second == [f"warned: This failed before: {FAILURE}", f"found: {FAILURE}"]
