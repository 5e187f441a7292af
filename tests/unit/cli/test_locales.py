"""The command line in whatever environment it is called: locales, homes, odd names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_CLI = "from pinak_ray.cli import main; main()"
_LOCALES: list[dict[str, str]] = [
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LANG": "xx_YY.UTF-8", "LC_ALL": "", "PYTHONIOENCODING": "ascii"},
]


def cli(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a user does."""
    inherited = {name: value for name, value in os.environ.items() if "PINAK_" not in name}
    return subprocess.run(
        [sys.executable, "-c", _CLI, *arguments],
        env={**inherited, **environment}, capture_output=True, encoding="utf-8", timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("locale", _LOCALES)
def test_any_locale_shows_any_text(locale: dict[str, str], tmp_path: Path) -> None:
    """A home of another script is named in the answer, and nothing breaks off half way."""
    home = tmp_path / "память 記憶 Jürgen"
    done = cli("recall", "größe", "--home", str(home), **locale)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "no stack runs in" in done.stderr
    assert "Traceback" not in done.stderr
    if "PYTHONIOENCODING" not in locale:
        assert home.name in done.stderr


@pytest.mark.parametrize("given", ["~/place", "place"])
def test_a_home_is_what_a_shell_would_make_of_it(tmp_path: Path, given: str) -> None:
    """`~` is the user's home directory also where no shell read it; other paths are from here."""
    done = cli("status", PINAK_HOME=given, HOME=str(tmp_path / "me"))
    where = tmp_path / "me/place" if given.startswith("~") else Path.cwd() / "place"
    assert f"no stack runs in {where};" in done.stderr


@pytest.mark.parametrize("command", [["up"], ["token"], ["status"], ["recall", "x"], ["down"]])
def test_a_home_that_cannot_be_is_told_in_one_line(tmp_path: Path, command: list[str]) -> None:
    """A path through a file, as a read-only disk, is a fault that names what to do."""
    (tmp_path / "file").write_text("")
    done = cli(*command, "--home", str(tmp_path / "file" / "home"))
    assert "unexpected" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if command == ["down"] else 1), done.stderr
