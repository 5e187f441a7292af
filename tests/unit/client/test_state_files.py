"""Damaged state files are named, with what to do; none is taken for a whole one."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pinak_ray.client.discovery import StackFile
from pinak_ray.client.over_ray.tokens import make_ray_token, ray_token_environment
from pinak_ray.records.errors import NotRunning, SetupError
from pinak_ray.security.keys import KeyRing
from pinak_ray.security.secret_files import make_secret

_WHOLE: dict[str, Any] = {"ray_address": "127.0.0.1:1", "url": "http://127.0.0.1:2", "version": "1"}


@pytest.mark.parametrize(
    "damage",
    [
        "", "{", "null", "[]", "5", '"text"', "[" * 100_000, "\udcff",
        *(json.dumps(_WHOLE | changed) for changed in (
            {"url": 5}, {"url": "file:///etc/passwd"}, {"url": "http://"}, {"url": []},
            {"url": "http://[::1"}, {"ray_address": None}, {"ray_address": "x"},
            {"ray_address": ""}, {"ray_address": "a b:1"}, {"version": 3},
        )),
        json.dumps({"url": None}),
    ],
)  # fmt: skip
def test_a_stack_file_that_is_none_is_named(tmp_path: Path, damage: str) -> None:
    """Whatever it says instead, the file and the way out are told."""
    StackFile.path(tmp_path).write_bytes(damage.encode(errors="surrogateescape"))
    with pytest.raises(NotRunning, match=r"stack\.json is damaged; run `pinak-ray up`"):
        StackFile.read(tmp_path)


def test_a_whole_stack_file_is_read(tmp_path: Path) -> None:
    """What was written is read again, also without a gateway."""
    for url in ("http://127.0.0.1:2", None):
        stack = StackFile("127.0.0.1:1", url, "1")
        stack.write(tmp_path)
        assert StackFile.read(tmp_path) == stack


@pytest.mark.parametrize("damage", ["", "\n", "x", "0" * 31, "\0" * 64, "\u00fc" * 10])
def test_a_token_cut_short_is_named(tmp_path: Path, damage: str) -> None:
    """An empty file, as a crash leaves it, is no token, and neither is a guessable one."""
    make_ray_token(tmp_path)
    (tmp_path / "ray_token").write_text(damage)
    with pytest.raises(SetupError, match=r"ray_token .*pinak-ray down"):
        ray_token_environment(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_token_that_others_reach_is_named(tmp_path: Path, mode: int) -> None:
    """Its mode is told with the command that mends it."""
    make_ray_token(tmp_path)
    (tmp_path / "ray_token").chmod(mode)
    with pytest.raises(SetupError, match="chmod 600"):
        ray_token_environment(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["ray_token", "key", "keys"])
def test_what_belongs_to_another_user_is_named(tmp_path: Path, name: str) -> None:
    """A secret that another user may have put there is no secret."""
    make_ray_token(tmp_path)
    ring = KeyRing.load_or_create(tmp_path / "keys")
    key = ring.directory / ring.current.file_name
    os.chown({"key": key}.get(name, tmp_path / name), 65_534, 65_534)
    read = ray_token_environment if name == "ray_token" else _ring_of
    with pytest.raises(SetupError, match="belongs to the user id 65534"):
        read(tmp_path)


def _ring_of(home: Path) -> object:
    return KeyRing.load_or_create(home / "keys")


def test_a_secret_is_made_once_and_closed(tmp_path: Path) -> None:
    """The first of two starts wins; nobody else can read it, and nothing is left beside it."""
    path = tmp_path / "secret"
    make_secret(path, "first" * 8)
    make_secret(path, "second" * 8)
    assert path.read_text() == "first" * 8
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
