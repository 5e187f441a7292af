"""A process is told from a stranger that was given its number."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinak_ray.cluster.process import Process, end, own_processes
from tests.support.waiting import until


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


async def test_one_that_began_at_another_time_is_another(child: subprocess.Popen[bytes]) -> None:
    """Neither an equal number alone, nor the same tick of another boot, is the same process."""
    process = Process.of(child.pid)
    assert process is not None
    assert process.lives
    for stranger in (replace(process, started="1"), replace(process, boot="another")):
        assert not stranger.lives
        stranger.send(signal.SIGKILL)
    assert child.poll() is None


async def test_it_is_dead_before_anybody_waited_for_it(child: subprocess.Popen[bytes]) -> None:
    """A zombie does not live, and nothing is known of a number that nobody has."""
    process = Process.of(child.pid)
    assert process is not None
    process.send(signal.SIGKILL)
    await until(lambda: not process.lives, what="the process is dead")
    child.wait()
    assert Process.of(child.pid) is None


def test_who_does_not_listen_is_ended_all_the_same() -> None:
    """SIGTERM is an offer: who ignores it is killed."""
    deaf = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", deaf], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        end(list(own_processes(lambda each: each.pid == child.pid)), grace_s=0.05)
        assert child.wait() == -signal.SIGKILL


def test_where_it_stands_is_a_place_and_no_name(tmp_path: Path) -> None:
    """A directory that was made anew under the old name is another one."""
    place = tmp_path / "place"
    place.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=place
    ) as child:
        process = Process.of(child.pid)
        assert process is not None
        assert process.stands_in(place)
        place.rename(tmp_path / "moved")
        place.mkdir()
        assert not process.stands_in(place)
        assert process.stands_in(tmp_path / "moved")
        child.kill()
