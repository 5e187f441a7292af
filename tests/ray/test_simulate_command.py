"""The simulation on a real stack, by its command: nothing fails, nothing is lost."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pinak_ray import Swarm
from pinak_ray.cli.application import app
from pinak_ray.cli.simulation.acknowledged import Acknowledged, Noted
from pinak_ray.cli.simulation.behaviour import Verb, agent_name
from pinak_ray.cli.simulation.verification import verify
from pinak_ray.cluster.settings import Settings
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(300)]


@pytest.fixture
def here(stack_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment names the session's stack."""
    assert stack_settings.dsn is not None
    monkeypatch.delenv("PINAK_URL", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(stack_settings.home))
    monkeypatch.setenv("PINAK_DSN", stack_settings.dsn.get_secret_value())
    return stack_settings


def test_a_short_simulation(here: Settings, tmp_path: Path) -> None:
    """Every verb is answered without an error, and what was acknowledged is there."""
    path = tmp_path / "report.html"

    answer = CliRunner().invoke(
        app,
        [
            "simulate", "--agents", "200", "--minutes", "0.1", "--rate", "60",
            "--report", str(path), "--json",
        ],
    )  # fmt: skip
    found: dict[str, Any] = json.loads(answer.stdout)

    assert answer.exit_code == 0, answer.output
    assert found["errors"] == {}
    assert {*map(str, Verb), "all"} == found["verbs"].keys()
    assert found["operations"] + found["unsent"] > 200
    assert found["verbs"]["remember"]["count"] == found["verified"]["memories"]
    assert found["verified"]["memories"] == found["verified"]["memories_stored"]
    assert found["verified"]["notes"] > 0
    assert (found["lost"], found["tasks_died"], found["ended_early"]) == (0, 0, False)
    assert found["hosts"]["peak_bytes"] > 0
    assert found["hosts"]["most_active"] > 0
    assert str(path) == found["report"]
    assert "200 agents at work" in path.read_text(encoding="utf-8")


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Run a command in a process of its own, which Ctrl-C can reach."""
    command = "from pinak_ray.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", command, *arguments], stdout=subprocess.PIPE, text=True
    )


async def test_ctrl_c_ends_early_with_the_report(
    here: Settings, tmp_path: Path, fetch: Callable[..., Any]
) -> None:
    """Interrupted in the middle, the command verifies and writes what there is, and says so."""
    path = tmp_path / "report.html"
    project = f"early-{tmp_path.name}"
    running = start(
        "simulate", "--agents", "50", "--minutes", "10", "--rate", "40", "--project", project,
        "--report", str(path), "--json",
    )  # fmt: skip

    async def is_at_work() -> bool:
        return bool(
            await fetch(
                "SELECT FROM pinak.memories AS m JOIN pinak.namespaces AS n "
                "ON n.id = m.namespace_id WHERE n.project = $1 LIMIT 1",
                project,
            )
        )

    try:
        await until(is_at_work, what="the agents act", deadline_s=120)
        running.send_signal(signal.SIGINT)
        said, _ = await asyncio.to_thread(running.communicate, timeout=120)
    finally:
        running.kill()
    found = json.loads(said)

    assert running.returncode == 0
    assert found["ended_early"] is True
    assert (found["errors"], found["lost"]) == ({}, 0)
    assert found["seconds"] < 600
    assert "ended early" in path.read_text(encoding="utf-8")


async def test_the_verification_sees_a_loss(swarm: Swarm, here: Settings) -> None:
    """It is honest: a note that is missing or differs, and a memory that is not there, are lost."""
    assert here.dsn is not None
    agent = swarm.agent(agent_name(1))
    await agent.note("task", "as acknowledged")
    await agent.note("step", "another text")
    kept = Acknowledged(10)
    for key in ("task", "step", "finding"):
        kept.add(1, key, Noted(1, "as acknowledged"))

    verified = await verify(swarm, here.dsn.get_secret_value(), "simulation/none", [kept], 1)

    assert (verified.notes, verified.notes_lost) == (3, 2)
    assert (verified.memories, verified.memories_stored) == (1, 0)
    assert verified.lost == 3


@pytest.mark.parametrize("place", ["nowhere/report.html", "."])
def test_a_report_that_cannot_be_written_is_said_at_once(
    here: Settings, tmp_path: Path, place: str
) -> None:
    """Wrong usage, before a single agent has acted."""
    answer = CliRunner().invoke(app, ["simulate", "--report", str(tmp_path / place)])

    assert answer.exit_code == 2
