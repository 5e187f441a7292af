"""Handles in the processes that a driver makes, and after it left Ray and came back."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from pinak_ray.cluster.settings import Settings

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(300)]

# In a process of its own: a driver that leaves Ray would take the other tests along.
_DRIVER = """
import asyncio, multiprocessing, sys
import ray, pinak_ray

def use(agent):
    try:
        return type(asyncio.run(agent.note("k", 1))).__name__
    except pinak_ray.PinakError as error:
        return type(error).__name__

def child(agent, queue):
    queue.put(use(agent))

if __name__ == "__main__":
    def join():
        return pinak_ray.connect(home=sys.argv[1], project=sys.argv[2]).agent("a")

    agent = join()
    print("joined", use(agent))
    for kind in ("fork", "spawn"):
        context = multiprocessing.get_context(kind)
        queue = context.Queue()
        process = context.Process(target=child, args=(agent, queue))
        process.start()
        print(kind, queue.get(timeout=120))
        process.join(60)
    print("joined", use(agent))
    ray.shutdown()
    print("left", use(agent), ray.is_initialized())
    join()
    print("again", use(agent))
    print("remote", type(ray.get(agent.note.remote("k", 2), timeout=60)).__name__)
"""


def test_each_process_works_or_says_what_to_do(stack_settings: Settings, tmp_path: Path) -> None:
    """A child outside of Ray hears NotRunning at once; an old handle works in a new session."""
    script = tmp_path / "driver.py"
    script.write_text(_DRIVER)
    done = subprocess.run(
        [sys.executable, script, stack_settings.home, f"p{uuid4().hex}"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "joined Receipt",
        "fork NotRunning",
        "spawn NotRunning",
        "joined Receipt",
        "left NotRunning False",
        "again Receipt",
        "remote Receipt",
    ], done.stderr[-3000:]
