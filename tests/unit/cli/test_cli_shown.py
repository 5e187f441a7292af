"""What a terminal gets of stored text: visible characters, and nothing that steers it."""

import json
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner

from pinak_ray.cli import access, doctor, status
from pinak_ray.cli.application import app
from pinak_ray.cli.doctor.verdict import problem
from pinak_ray.cli.models import commands as models
from pinak_ray.cli.verbs import curation as curation_commands
from pinak_ray.records.errors import Conflict
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.curation import Curated, CurationReport, Reason
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength
from pinak_ray.records.memory.recall import RecallResult, Signal, Trace
from pinak_ray.store.indexing.backfill import Coverage
from pinak_ray.store.models.embedding_models import RegisteredModel
from pinak_ray.store.models.serving_model import ModelStatus
from tests.unit.cli.test_cli import HIT, ID, FakeAgent, FakeSwarm
from tests.unit.language.test_shown import FORGED

SHOWING = {
    "recall": ["recall", "x"],
    "recall --trace": ["recall", "x", "--trace"],
    "nudge": ["nudge", "x"],
    "curate": ["curate", "--dry-run"],
    "status": ["status"],
    "models": ["models", "list"],
    "doctor": ["doctor"],
}
# They print receipts, figures and what their own user typed.
SILENT = {
    "up", "run", "down", "demo", "simulate", "token", "remember", "feedback", "revise", "forget",
    "restore", "scale", "hook", "keys", "version",
}  # fmt: skip
OWN = re.compile(r"\x1b\[[\d;]*m")
"""The colours that are ours: a stored sequence is shown by its name and has no ESC."""


class Hostile(FakeAgent):
    """Finds only what somebody stored to be shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        hit = replace(
            HIT, content=text, agent=text, source=text, session=text, tags=(text,),
            signals=(Signal("dense", 1.0, 1, 1.0, 1.0),),
        )  # fmt: skip
        trace = Trace("default", "z", {"dense": 1.0}, {"dense": 1}, 1, 1, None, {"search": 1.0})
        self.found = RecallResult((hit,), trace)
        self.nudge = Nudge(NudgeKind.FAILURE, Strength.HIGH, text, text, 0.9, (hit,), ID)

    async def intend(self, intent: str, **rest: Any) -> Any:
        return (self.nudge,)


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A text that every part of the stack brings back, wherever it can."""
    text = "\n".join(FORGED)
    for name in ("URL", "TOKEN", "DSN", "TENANT", "PROJECT"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(access, "open_swarm", lambda target: FakeSwarm(Hostile(text)))
    curated = Curated(ID, Reason.WEAK, 0.1, text, None)
    report = CurationReport(
        True, datetime(2026, 1, 1, tzinfo=UTC), 1.0, 1, {"weak": 1}, 1, 0, 0, True, (curated,)
    )
    monkeypatch.setattr(
        curation_commands, "on_database", lambda *_: {NamespaceKey(text, text): report}
    )
    row = {"tenant": text, "project": text, "memories": 1}
    found = {
        "state": "running", "url": "http://x", "home": text, "ray": {"pid": 1, "address": "a"},
        "parts": {"host-0": {"pid": 1, "error": text}, "writer-0": {"last": text}},
        "memories": {
            "total": 1, "not_yet_indexed": 0, "by_namespace": [row],
            "refused": [{"why": text, "memories": 1}],
            "renamed_names": {"names": 3, "joined": 1},
        },
    }  # fmt: skip
    monkeypatch.setattr(status, "snapshot", lambda *_: found)
    coverage = Coverage(1, 1, 0, True, 1.0, text)
    model = ModelStatus(RegisteredModel(1, text, text, 2), False, False, coverage)
    monkeypatch.setattr(models, "on_database", lambda *_: [model])
    monkeypatch.setattr(doctor, "run_checks", lambda *_, **__: [problem(text, text, text)])
    return text


def test_every_command_is_tried_or_shows_nothing_stored() -> None:
    """A new command says which it is."""
    group: Any = typer.main.get_command(app)
    assert {name.split()[0] for name in SHOWING} | SILENT == set(group.commands)


def test_status_counts_the_names_that_changed(text: str) -> None:
    """A person reads how many, and where they are listed."""
    assert text
    assert (
        "3 stored names were brought to their one form, 1 of them joined another: "
        "pinak.renamed_names lists them"
    ) in CliRunner().invoke(app, ["status"]).stdout


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("command", SHOWING)
def test_a_terminal_obeys_nothing_that_is_stored(
    command: str, colours: bool, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No control, no markup, no link, no emoji, no line of its own: names instead."""
    if colours:
        monkeypatch.setenv("FORCE_COLOR", "1")
    hostile = output(command)
    assert [c for c in hostile if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"}] == [
        "\n"
    ] * hostile.count("\n")
    flat = "".join(hostile.split())
    for kept in ("[boldred]x[/boldred]", "[link=http://evil]click[/link]", ":pile_of_poo:"):
        assert kept in flat


def output(command: str) -> str:
    """Return what a command prints, without the colours that are ours."""
    result = CliRunner().invoke(app, SHOWING[command])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout
    return OWN.sub("", result.stdout)


@pytest.mark.parametrize("command", SHOWING)
def test_json_is_what_is_stored_and_steers_nothing(command: str, text: str) -> None:
    """A program reads the exact text; printed on a terminal it is harmless all the same."""
    result = CliRunner().invoke(app, [*SHOWING[command], "--json"])
    assert text in strings(json.loads(result.stdout))
    for line in result.stdout.removesuffix("\n").split("\n"):
        assert line.isprintable()


def strings(value: Any) -> list[str]:
    """Return every string within a JSON value."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in strings(each)]
    if isinstance(value, list):
        return [found for each in value for found in strings(each)]
    return [value] if isinstance(value, str) else []


def test_an_error_that_quotes_what_is_stored(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It forges no second message; more lines than one are set back."""
    agent = FakeAgent()
    agent.error = Conflict(text)
    monkeypatch.setattr(access, "open_swarm", lambda target: FakeSwarm(agent))
    said = OWN.sub("", CliRunner().invoke(app, ["forget", str(UUID(int=1))]).stderr)
    first, *rest = said.removesuffix("\n").split("\n")
    assert first.startswith("pinak-ray: ")
    assert all(line.startswith("  ") for line in rest)
    assert all(line.isprintable() for line in (first, *rest))
