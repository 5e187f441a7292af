"""The demo on a real stack: a host is killed, and what was acknowledged is in PostgreSQL."""

import asyncio
import json

import asyncpg
import pytest
from typer.testing import CliRunner

from pinak_ray.cli.application import app
from pinak_ray.cli.demo import run_demo
from pinak_ray.cli.demo.agents import NOTES, Loaded, Noted
from pinak_ray.cli.demo.evidence import Evidence
from pinak_ray.cli.demo.result import Result
from pinak_ray.cli.demo.scenario import AGENTS, incidents, intentions, share
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import uuid7

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.timeout(600)]


def dsn_of(settings: Settings) -> str:
    """Return the DSN of the session's stack."""
    assert settings.dsn is not None
    return settings.dsn.get_secret_value()


@pytest.fixture(scope="module")
def result(stack_settings: Settings) -> Result:
    """One run of the demo."""
    return run_demo(stack_settings.home, dsn_of(stack_settings), progress=lambda _: None)


async def memories_in_demo(settings: Settings) -> int:
    """Count the demo's memories, past every layer of ours."""
    connection = await asyncpg.connect(dsn_of(settings), timeout=30)
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pinak.memories AS m JOIN pinak.namespaces AS n "
            "ON n.id = m.namespace_id WHERE n.project = 'demo' AND m.outcome = 'failure'"
        )
    finally:
        await connection.close()
    return int(count)


def test_nothing_is_lost(result: Result) -> None:
    """Every acknowledged memory, note and entry is in PostgreSQL and in its agent's hand."""
    assert (result.lost, result.duplicated, result.unread) == (0, 0, 0)
    assert len(incidents()) == result.memories.acknowledged == result.memories.found
    assert result.notes.acknowledged == result.notes.found


def test_the_host_really_died(result: Result) -> None:
    """The host came back as another process while the agents went on."""
    assert result.crash.killed_pid != result.crash.new_pid
    assert result.notes.acknowledged + result.refused == AGENTS * NOTES


def test_risky_actions_are_nudged(result: Result) -> None:
    """Most risky actions meet a failure that bears on them, and most harmless ones nothing."""
    figures = result.figures

    assert len(intentions()) == figures["risky"] + figures["harmless"]
    assert figures["risky_nudged"] >= figures["risky"] * 0.6
    assert figures["harmless_nudged"] <= figures["harmless"] * 0.25


def test_a_second_run_stores_nothing_twice(result: Result, stack_settings: Settings) -> None:
    """The demo may run again, by its command: the same memories, none of them new."""
    before = asyncio.run(memories_in_demo(stack_settings))

    answer = CliRunner().invoke(
        app,
        ["demo", "--json", "--home", str(stack_settings.home), "--dsn", dsn_of(stack_settings)],
    )
    found = json.loads(answer.stdout)

    assert answer.exit_code == 0
    assert (found["lost"], found["duplicated"], found["new_memories"]) == (0, 0, 0)
    assert found["acknowledged"] == found["found"]
    assert before == asyncio.run(memories_in_demo(stack_settings)) == len(incidents())


def test_the_count_sees_a_loss(result: Result, stack_settings: Settings) -> None:
    """The verification is honest: an acknowledged id that is not there counts as lost."""
    evidence = Evidence(dsn_of(stack_settings), 1)
    loaded = [Loaded("demo-00", {"F00": uuid7()}, 1)]
    noted = [Noted("demo-00", {"run-x/step-000": 0}, {uuid7(): "run-x/step-000"}, 0, 0.1)]

    assert evidence.memories(loaded).lost == 1
    assert evidence.notes("run-x", noted).lost == 1
    assert evidence.posts("run-x", noted).lost == 1


def test_shares_are_whole() -> None:
    """Every incident goes to exactly one agent, and to the same one in every run."""
    shared = [one.id for agent in range(AGENTS) for one in share(incidents(), agent)]

    assert sorted(shared) == sorted({one.id for one in incidents()})
