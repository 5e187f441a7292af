"""Our parts on a Ray cluster of somebody else: it is left as it was."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.process import own_processes
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(400)]

# A user's script: what runs on the cluster before and after is theirs.
_SCRIPT = """
import asyncio, json, sys
import ray
from ray import serve

ray.init(address=sys.argv[1], namespace="theirs", log_to_driver=False)

@ray.remote
class Counter:
    def __init__(self): self.count = 0
    def add(self): self.count += 1; return self.count

counter = Counter.options(
    name="counter", lifetime="detached", get_if_exists=True, num_cpus=0
).remote()
ray.get(counter.add.remote())

import pinak_ray

async def main():
    # As in a notebook, whose cells run in a loop.
    with pinak_ray.running(home=sys.argv[2], dsn=sys.argv[3], http_port=int(sys.argv[4]),
                           embedder="hashing", hosts=1) as swarm:
        agent = swarm.agent("deployer")
        await agent.remember("migration 42 locks orders", outcome="failure", ack="searchable")
        found = await agent.recall("what locks orders?")
        nodes = len(ray.nodes())
        stack = json.load(open(sys.argv[2] + "/stack.json"))
    names = {each["name"] for each in ray.util.list_named_actors(all_namespaces=True)}
    print(json.dumps({"found": found.hits[0].content, "nodes": nodes, "stack": stack,
                      "left": sorted(names), "count": ray.get(counter.add.remote())}))

asyncio.run(main())
"""
# Ray starts workers behind everything else on the machine, where a busy one lets them starve.
_PRIORITY = {"RAY_worker_niceness": "0"}
_CLI = [sys.executable, "-c", "from pinak_ray.cli import main; main()"]


@pytest.fixture(scope="module")
def theirs(reachable_dir: Path) -> Iterator[str]:
    """The address of a plain `ray start --head`."""
    port, place = free_port(), reachable_dir / "r"
    place.mkdir()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
            f"--port={port}", "--node-ip-address=127.0.0.1", "--num-cpus=4", f"--temp-dir={place}",
            "--include-dashboard=false", "--disable-usage-stats", "--min-worker-port=0",
            "--max-worker-port=0", f"--ray-client-server-port={free_port()}",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment() | _PRIORITY,
    )  # fmt: skip
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}


def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of a user's; it gets the cluster's address as they would have it."""
    return subprocess.run(
        arguments, env=_environment() | more, check=False, capture_output=True, text=True,
        timeout=200,
    )  # fmt: skip


async def test_a_script_starts_a_stack_in_its_own_ray(
    theirs: str, dsn: str, reachable_dir: Path
) -> None:
    """`running` uses the Ray that the process is in, works from within a loop, and cleans up."""
    home = reachable_dir / "scripted"
    done = await asyncio.to_thread(
        run, sys.executable, "-c", _SCRIPT, theirs, str(home), dsn, str(free_port())
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = orjson.loads(done.stdout.splitlines()[-1])
    assert said["found"] == "migration 42 locks orders"
    assert said["stack"]["ray_address"] == theirs
    assert (said["stack"]["owns_ray"], said["nodes"]) == (False, 1)
    # Their actor goes on, and of ours nothing is left.
    assert (said["left"], said["count"]) == (["counter"], 2)
    assert not StackFile.path(home).exists()


async def test_up_and_down_leave_a_cluster_as_it_was(
    theirs: str, dsn: str, reachable_dir: Path
) -> None:
    """`up --address` serves there, a second `up` finds it, `down` takes our parts away alone."""
    home, port = str(reachable_dir / "joined"), str(free_port())
    settings = {"PINAK_DSN": dsn, "PINAK_EMBEDDER": "hashing", "PINAK_HOSTS": "1"}

    async def cli(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(run, *_CLI, *arguments, "--home", home, **settings)

    for _ in range(2):
        up = await cli("up", "--address", theirs, "--http-port", port, "--json")
        assert up.returncode == 0, up.stderr[-3000:]
    url = orjson.loads(up.stdout)["url"]
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/readyz")).status_code == 200
    status = await cli("status", "--json")
    assert status.returncode == 0, status.stderr[-3000:]
    other = await asyncio.to_thread(
        run, *_CLI, "up", "--address", theirs, "--home", f"{home}-2", **settings
    )
    assert "runs a stack that" in other.stderr
    down = await cli("down", "--json")
    assert orjson.loads(down.stdout)["stopped"] is True
    assert any("start" in each.arguments and f"--port={theirs[10:]}" in each.arguments
               for each in own_processes(lambda _: True))  # fmt: skip
    again = await cli("down", "--json")
    assert orjson.loads(again.stdout)["stopped"] is False


async def test_run_stays_until_it_is_told_to_stop(dsn: str, reachable_dir: Path) -> None:
    """In the foreground, as a container runs it: SIGTERM drains, stops, and ends with 0."""
    home = reachable_dir / "foreground"
    environment = _environment() | {
        "PINAK_DSN": dsn, "PINAK_EMBEDDER": "hashing", "PINAK_HOME": str(home),
        "PINAK_HTTP_PORT": "0", "PINAK_HOSTS": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *_CLI, "run", env=environment, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip

    async def is_up() -> bool:
        assert process.returncode is None
        return StackFile.path(home).exists()

    await until(is_up, what="the stack is up", deadline_s=200)
    url = StackFile.read(home).url
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/healthz")).status_code == 200
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, output.decode()
    assert not StackFile.path(home).exists()
