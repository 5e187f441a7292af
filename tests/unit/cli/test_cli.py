"""The command line: help, exit codes, one-line errors, and the shape of what --json prints."""

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner, Result

from pinak_ray.cli import access
from pinak_ray.cli.application import app
from pinak_ray.records.errors import InvalidInput, Unavailable
from pinak_ray.records.memory.memories import Ack, Layer, Outcome, Receipt
from pinak_ray.records.memory.nudges import Nudge, NudgeKind, Strength
from pinak_ray.records.memory.recall import Hit, RecallResult, Signal, Trace
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
    "feedback", "revise", "forget", "curate", "restore", "models", "keys", "hook", "version",
)  # fmt: skip


class FakeAgent:
    """Answers every verb, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.found = RecallResult((HIT,))
        self.error: Exception | None = None

    async def _answer(self, answer: Any, asked: dict[str, Any]) -> Any:
        self.asked = asked
        if self.error is not None:
            raise self.error
        return answer

    async def remember(self, content: str, **rest: Any) -> Any:
        return await self._answer(Receipt(ID, Ack.DURABLE), {"content": content, **rest})

    async def recall(self, query: str | None, **rest: Any) -> Any:
        return await self._answer(self.found, {"query": query, **rest})

    async def intend(self, intent: str, **rest: Any) -> Any:
        nudge = Nudge(
            NudgeKind.FAILURE, Strength.HIGH, "This failed before", "why", 0.9, (HIT,), ID
        )
        return await self._answer((nudge,), {"intent": intent, **rest})

    async def feedback(self, nudge: str, verdict: str) -> Any:
        return await self._answer(Receipt(ID, Ack.DURABLE), {"nudge": nudge, "verdict": verdict})

    async def revise(self, memory_id: str, content: str, **rest: Any) -> Any:
        asked = {"memory_id": memory_id, "content": content, **rest}
        return await self._answer(Receipt(ID, Ack.DURABLE), asked)

    async def forget(self, memory_id: str) -> Any:
        return await self._answer(Receipt(ID, Ack.DURABLE, False), {"memory_id": memory_id})


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
    monkeypatch.setattr(access, "open_swarm", lambda target: FakeSwarm(fake))
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
        ("curate", "--namespace", "acme"),
        ("curate", "--forget-below", "2"),
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
    result = call(
        "remember", "x", "--tag=a", "--tag=b", "--entity=db7", "--outcome", "failure", "--json"
    )

    assert result.exit_code == 0
    assert {"id": str(ID), "ack": "durable", "new": True} == json.loads(result.stdout)
    assert (agent.asked["tags"], agent.asked["entities"]) == (["a", "b"], ["db7"])
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


def test_recall_passes_every_filter(agent: FakeAgent) -> None:
    """Each option reaches the verb under its name, repeated ones as lists."""
    options = {
        "agents": ["a", "b"], "layers": ["episodic"], "sessions": ["s"], "tags": ["t", "u"],
        "any_tags": ["v"], "no_tags": ["w", "x"], "entities": ["e"],
    }  # fmt: skip
    single = {
        "recipe": "rrf", "rrf_k": 9, "outcome": "failure", "since": "2026-01-01T00:00Z",
        "until": "2026-02-01T00:00Z", "as_of": "2026-03-01T00:00Z", "min_score": 0.5, "cursor": "c",
        "now": "2026-03-01T08:00+09:00", "zone": "Asia/Tokyo",
        "min_relevance": 0.125,
    }  # fmt: skip
    flags = {"entities": "entity", **{name: name[:-1] for name in options if name != "entities"}}
    given = [f"--{flags[n].replace('_', '-')}={one}" for n, many in options.items() for one in many]
    given += [f"--{name.replace('_', '-')}={value}" for name, value in single.items()]

    assert call("recall", "q", *given, "--every-copy", "--no-rerank").exit_code == 0
    said = {"every_copy": True, "rerank": False}
    assert agent.asked.items() >= {**options, **single, **said}.items()


def test_recall_names_the_next_page(agent: FakeAgent) -> None:
    """The cursor is in the object, and for people a line beside the result."""
    agent.found = RecallResult((HIT,), None, "next")

    assert json.loads(call("recall", "q", "--json").stdout)["cursor"] == "next"
    shown = call("recall", "q")
    assert "--cursor next" in shown.stderr
    assert "next" not in shown.stdout


def test_recall_explains(agent: FakeAgent) -> None:
    """--trace shows what each score is made of, and leaves out what says nothing of a hit."""
    signals = (
        Signal("dense", 0.83, 1, 0.25, 0.4125),
        Signal("lexical", None, None, 0.25, -0.2),
        Signal("question", 0.0, 2, -0.5, 0.0),
    )
    trace = Trace("rrf", "rrf", {"dense": 1.0}, {"dense": 50}, 61, 7, 0.5, {"sql": 3.21}, 60)
    agent.found = RecallResult((replace(HIT, signals=signals),), trace)
    shown = call("recall", "q", "--trace").stdout

    for part in (
        "0.83",
        "+0.412",
        "-0.200",
        "k = 60",
        "dense 50",
        "61",
        "7 hits",
        "0.5",
        "sql 3.2",
    ):
        assert part in shown
    assert "question" not in shown


def test_the_latest_need_no_query(agent: FakeAgent) -> None:
    """--recipe recent goes without; any other recipe is wrong usage."""
    assert call("recall", "--recipe", "recent").exit_code == 0
    assert agent.asked["query"] is None


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
    assert agent.asked["repeat"] is True


def test_revise_passes_only_what_was_said(agent: FakeAgent) -> None:
    """What no option says is None: as it was."""
    result = call("revise", str(ID), "-", "--outcome", "success", "--json", stdin="it works")

    assert json.loads(result.stdout) == {"id": str(ID), "ack": "durable", "new": True}
    assert agent.asked == {
        "memory_id": str(ID), "content": "it works", "layer": None, "outcome": "success",
        "tags": None, "idempotency_key": None,
    }  # fmt: skip


def test_forget_says_whether_it_was_there(agent: FakeAgent) -> None:
    """A second time is no failure."""
    result = call("forget", str(ID))

    assert (result.exit_code, agent.asked) == (0, {"memory_id": str(ID)})
    assert result.stdout.strip() == f"{ID}  durable, was not there"


def test_feedback_names_the_nudge_that_was_shown(agent: FakeAgent) -> None:
    """The id that `nudge` prints is what `feedback` takes."""
    assert str(ID) in call("nudge", "clean").stdout

    result = call("feedback", str(ID), "acted_on")

    assert agent.asked == {"nudge": str(ID), "verdict": "acted_on"}
    assert "acted_on" in result.stdout


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


def test_the_shared_options_are_every_commands_own() -> None:
    """What many commands take is declared once, and each of them says it in its help."""
    target = ("--home", "--url", "--token", "--tenant", "--project", "--json", "--verbose")
    for command in ("remember", "recall", "nudge", "feedback", "revise", "forget"):
        assert set(target) <= options_of(command), command
    for command in ("status", "doctor", "curate", "restore", "demo", "simulate", "up", "down"):
        assert {"--home", "--dsn", "--json", "--verbose"} <= options_of(command), command


def options_of(command: str) -> set[str]:
    """Return the names of the options that a command takes."""
    group: Any = typer.main.get_command(app)
    return {name for each in group.commands[command].params for name in each.opts}
