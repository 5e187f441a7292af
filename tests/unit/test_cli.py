"""The command line: help, exit codes, one-line errors, and the shape of what --json prints."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from pinak_ray.cluster.cli import verbs as verbs_module
from pinak_ray.cluster.cli.application import app
from pinak_ray.records.errors import InvalidInput, Unavailable
from pinak_ray.records.memories import Ack, Layer, Outcome, Receipt
from pinak_ray.records.nudges import Nudge, NudgeKind, Strength
from pinak_ray.records.recall import Hit, RecallResult
from pinak_ray.security.keys import KeyRing
from pinak_ray.security.tokens import verify_token

ID = UUID("0198f3a2-7c1e-7000-8000-000000000000")
THEN = datetime(2026, 1, 31, tzinfo=UTC)
HIT = Hit(
    ID,
    "[orders] locked",
    1.5,
    Layer.EPISODIC,
    "ops",
    None,
    (),
    Outcome.FAILURE,
    THEN,
    THEN,
    {},
    "s",
)
COMMANDS = (
    "up", "down", "status", "doctor", "demo", "simulate", "token", "remember", "recall", "nudge",
    "hook", "version",
)  # fmt: skip


class FakeAgent:
    """Answers every verb, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.error: Exception | None = None

    async def _answer(self, answer: Any, asked: dict[str, Any]) -> Any:
        self.asked = asked
        if self.error is not None:
            raise self.error
        return answer

    async def remember(self, content: str, **rest: Any) -> Any:
        return await self._answer(Receipt(ID, Ack.DURABLE), {"content": content, **rest})

    async def recall(self, query: str, **rest: Any) -> Any:
        return await self._answer(RecallResult((HIT,)), {"query": query, **rest})

    async def intend(self, intent: str, **rest: Any) -> Any:
        nudge = Nudge(NudgeKind.FAILURE, Strength.HIGH, "This failed before", "why", 0.9, (HIT,))
        return await self._answer((nudge,), {"intent": intent, **rest})


class FakeSwarm:
    """A swarm of one agent."""

    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent

    def agent(self, name: str) -> FakeAgent:
        return self._agent

    async def __aenter__(self) -> "FakeSwarm":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an environment that says nothing."""
    for name in ("URL", "TOKEN", "HOME", "DSN", "TENANT", "PROJECT", "HTTP_PORT"):
        monkeypatch.delenv(f"PINAK_{name}", raising=False)
    monkeypatch.setenv("PINAK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAgent:
    """The agent that verbs reach."""
    fake = FakeAgent()
    monkeypatch.setattr(verbs_module, "open_swarm", lambda target: FakeSwarm(fake))
    return fake


def call(*arguments: str, stdin: str | None = None) -> Result:
    """Run one command line."""
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str) -> None:
    """Every command explains itself."""
    result = call(command, "--help")

    assert result.exit_code == 0
    assert command in result.stdout


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_help_teaches(command: str) -> None:
    """Every command's help shows how it is used."""
    assert f"pinak-ray {command}" in call(command, "--help").stdout


def test_help_lists_every_command() -> None:
    """The first page names all commands."""
    text = call("--help").stdout

    assert [name for name in COMMANDS if name not in text] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("recall",),
        ("recall", "q", "-k", "many"),
        ("up", "--hosts", "0"),
        ("up", "--http-port", "x"),
        ("nudge", "x", "--argument", "no-equals"),
        ("recall", "q", "--url", "http://g", "--project", "p"),
        ("up", "--embedder", "mystery"),
        ("token", "--days", "1e300"),
    ],
)
def test_wrong_usage_is_2(home: Path, arguments: tuple[str, ...]) -> None:
    """What cannot be understood exits with 2 and prints nothing as a result."""
    result = call(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_setting_out_of_range_hides_its_value(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that does not fit is named, and its value is not repeated."""
    monkeypatch.setenv("PINAK_GATEWAYS", "secret-value")

    result = call("token")

    assert result.exit_code == 2
    assert "PINAK_GATEWAYS" in result.stderr
    assert "secret-value" not in result.stderr


@pytest.mark.parametrize("command", [("status",), ("recall", "q"), ("nudge", "q"), ("token",)])
def test_no_stack_is_one_line(home: Path, command: tuple[str, ...]) -> None:
    """Without a stack a command exits with 1 and one line that names `pinak-ray up`."""
    result = call(*command)
    lines = [line for line in result.stderr.splitlines() if line.startswith("pinak-ray: ")]

    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(lines) == 1
    assert "pinak-ray up" in lines[0]
    assert "Traceback" not in result.stderr


def test_error_as_json(home: Path) -> None:
    """With --json a failure is one object with a stable code, still with exit code 1."""
    result = call("status", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "not_running"


def test_unexpected_error_is_one_line(agent: FakeAgent) -> None:
    """A fault of our own is one line too, and says how to see more."""
    agent.error = RuntimeError("first\nlast")

    result = call("recall", "q")

    assert result.exit_code == 1
    assert "RuntimeError: last" in result.stderr
    assert "--verbose" in result.stderr
    assert "Traceback" not in result.stderr


def test_verbose_shows_the_traceback(agent: FakeAgent) -> None:
    """With --verbose the traceback is there."""
    agent.error = Unavailable("away")

    result = call("recall", "q", "--verbose")

    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_remember_json(agent: FakeAgent) -> None:
    """remember --json prints the receipt."""
    result = call("remember", "x", "--tag", "a", "--tag", "b", "--outcome", "failure", "--json")

    assert result.exit_code == 0
    assert {"id": str(ID), "ack": "durable", "new": True} == json.loads(result.stdout)
    assert agent.asked["tags"] == ["a", "b"]
    assert agent.asked["outcome"] == "failure"


def test_remember_reads_standard_input(agent: FakeAgent) -> None:
    """`-` takes the content from standard input."""
    call("remember", "-", stdin="from a pipe\n")

    assert agent.asked["content"] == "from a pipe\n"


def test_bad_input_is_1(agent: FakeAgent) -> None:
    """What the contract refuses is one line on standard error."""
    agent.error = InvalidInput("content is empty")

    result = call("remember", "")

    assert (result.exit_code, result.stderr) == (1, "pinak-ray: content is empty\n")


def test_recall_json(agent: FakeAgent) -> None:
    """recall --json prints hits as the HTTP interface does."""
    found = json.loads(call("recall", "q", "-k", "3", "--json").stdout)

    assert [hit["content"] for hit in found["hits"]] == ["[orders] locked"]
    assert found["trace"] is None
    assert agent.asked["k"] == 3


def test_recall_shows_brackets(agent: FakeAgent) -> None:
    """Text in brackets is content, not markup."""
    assert "[orders] locked" in call("recall", "q").stdout


def test_nudge_json(agent: FakeAgent) -> None:
    """nudge --json prints nudges with evidence; arguments arrive as JSON where they are JSON."""
    result = call(
        "nudge", "clean", "--tool", "bash", "--argument", "n=3", "--argument", "c=rm -rf", "--json"
    )
    nudge = json.loads(result.stdout)["nudges"][0]

    assert ("high", str(ID)) == (nudge["strength"], nudge["evidence"][0]["id"])
    assert agent.asked["arguments"] == {"n": 3, "c": "rm -rf"}


def test_token_opens_its_namespace(home: Path) -> None:
    """A token is signed by the home's key and names subject, namespace and scopes."""
    ring = KeyRing.load_or_create(home / "keys")

    result = call("token", "--subject", "ci", "--project", "web", "--scope", "read", "--json")
    answer = json.loads(result.stdout)
    principal = verify_token(answer["token"], {key.kid: key for key in ring.public_keys})

    assert (principal.subject, str(principal.namespace)) == ("ci", "default/web")
    assert {"memory.read"} == set(principal.scopes)
    assert answer["scopes"] == ["memory.read"]


def test_token_alone_on_its_line(home: Path) -> None:
    """Without --json the token is all that is printed, fit for $(...)."""
    KeyRing.load_or_create(home / "keys")

    result = call("token")

    assert result.stdout.count(".") == 2
    assert len(result.stdout.split()) == 1


@pytest.mark.parametrize("arguments", [("--scope", "everything"), ("--days", "-1")])
def test_token_refuses(home: Path, arguments: tuple[str, ...]) -> None:
    """An unknown scope or an odd lifetime is refused, with what would be right."""
    KeyRing.load_or_create(home / "keys")

    result = call("token", *arguments)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "memory.read" in result.stderr or "3650 d" in result.stderr


def test_token_makes_no_ring(tmp_path: Path, home: Path) -> None:
    """A mistyped home is not filled with keys that no gateway knows."""
    result = call("token", "--home", str(tmp_path / "typo"))

    assert result.exit_code == 1
    assert not (tmp_path / "typo").exists()


def test_down_without_a_stack(home: Path) -> None:
    """down where nothing runs is no error, and says so."""
    result = call("down", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["stopped"] is False


def test_version_json() -> None:
    """version --json names the three versions that a bug report needs."""
    assert {"pinak_ray", "python", "ray"} == json.loads(call("version", "--json").stdout).keys()


def test_doctor_without_a_stack(home: Path) -> None:
    """The doctor works before the first start: what is missing is a warning that says `up`."""
    home.chmod(stat.S_IRWXU)

    result = call("doctor", "--json")
    found = {one["name"]: one for one in json.loads(result.stdout)["checks"]}

    assert result.exit_code == 0
    assert found["stack"]["state"] == "warning"
    assert "pinak-ray up" in found["stack"]["mend"]
