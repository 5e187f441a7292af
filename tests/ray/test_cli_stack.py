"""The command line against a real stack."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from pinak_ray import Swarm
from pinak_ray.cli.application import app
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(300)]

Call = Callable[..., Any]


@pytest.fixture
def call(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command on the session's stack and return the object that it prints."""
    assert stack_settings.dsn is not None
    for name in ("URL", "TOKEN"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(stack_settings.home))
    monkeypatch.setenv("PINAK_DSN", stack_settings.dsn.get_secret_value())

    def run(*arguments: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert exit_code == result.exit_code, result.output
        return json.loads(result.stdout)

    return run


def test_remember_recall_nudge(call: Call) -> None:
    """What one command remembers the next one recalls, and an intent like it is nudged."""
    project = f"p{uuid4().hex[:8]}"
    text = "dropping the orders table in production deleted a day of sales"

    receipt = call(
        "remember", text, "--outcome", "failure", "--layer", "episodic",
        "--project", project, "--ack", "searchable",
    )  # fmt: skip
    hits = call("recall", "orders table dropped", "--project", project)["hits"]
    nudges = call("nudge", "drop the orders table in production", "--project", project)["nudges"]

    assert [receipt["id"]] == [hit["id"] for hit in hits]
    assert [text] == [nudge["evidence"][0]["content"] for nudge in nudges]


def test_an_idempotent_remember_is_known(call: Call) -> None:
    """The same idempotency key twice gives the same id, and says that it is not new."""
    key = uuid4().hex

    first, second = (call("remember", "once", "--idempotency-key", key) for _ in range(2))

    assert first["id"] == second["id"]
    assert (first["new"], second["new"]) == (True, False)


def test_token_opens_the_gateway(call: Call, stack_settings: Settings) -> None:
    """The printed token works over HTTP, in its own namespace."""
    answer = call("token", "--project", "web")
    url = StackFile.read(stack_settings.home).url

    figures = httpx.get(
        f"{url}/v1/stats", headers={"Authorization": f"Bearer {answer['token']}"}, timeout=30
    )

    assert (figures.status_code, figures.json()["project"]) == (200, "web")


def test_url_and_token(call: Call, stack_settings: Settings) -> None:
    """With --url and --token a verb needs nothing of this machine's home."""
    token = call("token", "--project", "far")["token"]
    url = StackFile.read(stack_settings.home).url
    assert url is not None

    receipt = call("remember", "from afar", "--url", url, "--token", token)

    assert receipt["new"] is True


def test_bad_url_token_is_refused(call: Call, stack_settings: Settings) -> None:
    """A token that does not hold is one error with its code."""
    url = StackFile.read(stack_settings.home).url
    assert url is not None

    answer = call("recall", "x", "--url", url, "--token", "a.b.c", exit_code=1)

    assert answer["error"]["code"] == "unauthorized"


async def test_status(call: Call, join: Callable[[str], Swarm]) -> None:
    """status names every part with its process, and counts memories: the largest namespaces'."""
    swarm = join("counting")
    await asyncio.gather(*(swarm.agent("a").remember(f"{n} is counted") for n in range(300)))

    found = await asyncio.to_thread(call, "status")
    counted = {row["project"]: row["memories"] for row in found["memories"]["by_namespace"]}

    assert found["state"] == "running"
    assert {"host-0", "writer-0", "indexer-0", "recaller-0", "curator", "postgres", "gateway"} <= (
        found["parts"].keys()
    )
    assert found["parts"]["host-0"]["pid"] > 0
    assert counted[swarm.namespace.project] == 300
    assert found["memories"]["total"] >= sum(counted.values())
    assert found["memories"]["renamed_names"] == {"names": 0, "joined": 0}


def test_doctor_tries_the_wall(call: Call, stack_settings: Settings) -> None:
    """The doctor finds a whole stack whole; durability is off here, in tests, and it says so."""
    call("remember", "behind the wall")

    result = CliRunner().invoke(app, ["doctor", "--json"])
    states = {one["name"]: one["state"] for one in json.loads(result.stdout)["checks"]}

    for name in ("postgres", "migrations", "isolation", "stack", "actors", "gateway"):
        assert states[name] == "ok", (name, result.stdout)
    assert (states["durability"] == "problem") == (result.exit_code == 1) or (
        states["home"] == "problem"
    )


def test_up_finds_what_runs(call: Call, stack_settings: Settings) -> None:
    """A second up starts nothing and prints the same URL."""
    found = call("up")

    assert found["was_up"] is True
    assert StackFile.read(stack_settings.home).url == found["url"]


def test_the_hook_warns_of_what_failed(call: Call) -> None:
    """A tool call like a past failure is put to the user; a harmless one passes in silence."""
    project = f"p{uuid4().hex[:8]}"
    call(
        "remember", "dropping the orders table in production deleted a day of sales",
        "--outcome", "failure", "--layer", "episodic", "--project", project, "--ack", "searchable",
    )  # fmt: skip

    def hook(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable, "-c", "from pinak_ray.cli import main; main()",
                "hook", "--project", project, "--timeout-ms", "30000",
            ],
            input=json.dumps({"tool_name": "Bash", "tool_input": {"command": command}}),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip

    risky = hook("psql production -c 'drop table orders'")
    harmless = hook("ls -la src")

    assert risky.stderr == ""
    decision = json.loads(risky.stdout)["hookSpecificOutput"]
    assert decision["permissionDecision"] == "ask"
    assert "deleted a day of sales" in decision["permissionDecisionReason"]
    assert (harmless.stdout, harmless.stderr) == ("", "")


def run_apart(*arguments: str) -> Any:
    """Run a command in a process of its own, which is in no Ray cluster, and read its object."""
    done = subprocess.run(
        [
            sys.executable, "-c", "from pinak_ray.cli import main; main()",
            *arguments, "--json",
        ],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_down_stops_what_no_file_announces(
    reachable_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """up prints one object, and down ends Ray and PostgreSQL even without the stack's file."""
    for name in ("DSN", "URL", "TOKEN"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    home = reachable_dir / "half"
    try:
        up = run_apart(
            "up", "--home", str(home), "--http-port", "0", "--hosts", "1", "--gateways", "1",
            "--embedder", "hashing",
        )  # fmt: skip
        StackFile.remove(home)
    finally:
        down = run_apart("down", "--home", str(home))

    assert up["url"].startswith("http://127.0.0.1:")
    assert down["stopped"] is True
    assert RayNode(home).pid() is None
    assert EmbeddedPostgres(home / "postgres").postmaster_pid is None
