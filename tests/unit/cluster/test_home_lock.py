"""Two starts of one home at once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pinak_ray.cluster import home_lock as module
from pinak_ray.cluster.home_lock import home_lock
from pinak_ray.records.errors import SetupError, Unavailable

_HOLD = """
import sys
from pathlib import Path
from pinak_ray.cluster.home_lock import home_lock
with home_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    input()
"""


def holder(home: Path) -> "subprocess.Popen[str]":
    """Return a process that holds the home."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_names_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits in vain hears which process to look at, and touched nothing meanwhile."""
    monkeypatch.setattr(module, "_PATIENCE_S", 0.0)
    told: list[str] = []
    with (
        holder(tmp_path) as first,
        pytest.raises(Unavailable, match=f"under way .pid {first.pid}."),
        home_lock(tmp_path, told.append),
    ):
        pytest.fail("two hold one home")  # pragma: no cover
    first.kill()


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    """It goes on as soon as the first one ends, in whatever way."""
    first = holder(tmp_path)
    told: list[str] = []

    def report(step: str) -> None:
        told.append(step)
        first.send_signal(signal.SIGKILL)

    with home_lock(tmp_path, report):
        assert told == [f"waiting for another start or stop (pid {first.pid})"]
    first.communicate()


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """A home below a file, or on a disk that is read-only, is a fault of the set-up."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SetupError, match="PINAK_HOME"),
        home_lock(tmp_path / "file" / "home", lambda _: None),
    ):
        pytest.fail("nothing can be there")  # pragma: no cover
