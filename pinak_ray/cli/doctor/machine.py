"""Checks of the machine and of the home directory; they need nothing that runs."""

import platform
import shutil
import stat
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from pinak_ray.cli.doctor.verdict import Check, ok, problem, warning
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import BUILT_IN

__all__ = [
    "check_machine",
    "judge_disk",
    "judge_mode",
    "judge_model",
    "judge_python",
    "judge_ray",
]

_MIN_PYTHON = (3, 11)
# Ray's wire format changes between minors; the package pins this one.
_RAY = "2.60."
_GIB = 1 << 30
# PostgreSQL stops for good on a full disk; below 1 GiB its own recovery may not fit.
_DISK_PROBLEM, _DISK_WARNING = _GIB, 5 * _GIB
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_machine(settings: Settings) -> list[Check]:
    """Look at Python, Ray, the home, its secrets, the model, and the disk."""
    home = settings.home
    checks = [
        judge_python(sys.version_info[:2]),
        judge_ray(version("ray")),
        judge_disk(shutil.disk_usage(_existing(home)).free, str(_existing(home))),
        _model(settings),
    ]
    if not home.exists():
        return [*checks, warning("home", f"{home} does not exist", "run `pinak-ray up`")]
    checks.append(judge_mode("home", home, _mode(home)))
    secrets = [*sorted((home / "keys").glob("*")), home / "ray_token"]
    return [*checks, _secret_files(path for path in secrets if path.exists())]


def judge_python(found: tuple[int, ...]) -> Check:
    """Judge the interpreter's version."""
    text = ".".join(map(str, found))
    if found < _MIN_PYTHON:
        return problem("python", f"{text} is too old", "use Python 3.11 or newer")
    return ok("python", f"{text}, {platform.machine()}")


def judge_ray(found: str) -> Check:
    """Judge Ray's version."""
    if not found.startswith(_RAY):
        mend = f"pip install 'ray[serve]=={_RAY}*'"
        return problem("ray version", f"{found} is not the measured {_RAY}x", mend)
    return ok("ray version", found)


def judge_mode(name: str, path: Path, mode: int) -> Check:
    """Judge whether only the owner reaches a directory."""
    if mode & _OTHERS:
        mend = f"chmod 700 {path}"
        return problem(name, f"{path} has mode {mode:04o}: other users reach it", mend)
    return ok(name, f"{path}, mode {mode:04o}")


def judge_disk(free: int, where: str) -> Check:
    """Judge the free space where data grows."""
    text = f"{free / _GIB:.1f} GiB free at {where}"
    mend = "free some space, or move the data with --home"
    if free < _DISK_PROBLEM:
        return problem("disk", text, mend)
    return warning("disk", text, mend) if free < _DISK_WARNING else ok("disk", text)


def judge_model(place: Path, *, present: bool) -> Check:
    """Judge whether a built-in model's files are there; `up` builds them."""
    if not present:
        return warning("model", f"{place} is not built yet", "`pinak-ray up` builds it once")
    return ok("model", str(place))


def _model(settings: Settings) -> Check:
    model = BUILT_IN.get(settings.embedder)
    if model is None:
        return ok("model", f"the {settings.embedder} embedder needs no files")
    place = settings.model_dir or model.home(settings.cache_dir)
    return judge_model(place, present=any(place.glob("*.onnx")) or any(place.glob("*.whl")))


def _secret_files(paths: Iterable[Path]) -> Check:
    modes = {path: _mode(path) for path in paths}
    open_ones = [path for path, mode in modes.items() if mode & _OTHERS]
    if open_ones:
        names = " ".join(map(str, open_ones))
        return problem("secrets", f"other users reach {names}", f"chmod 600 {names}")
    if not modes:
        return warning("secrets", "no keys are made yet", "`pinak-ray up` makes them")
    return ok("secrets", f"{len(modes)} files, mode 0600")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.resolve().parents) if place.exists())
