"""The pre-tool hook: decisions, and failing open; also as the process that an agent starts."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from pinak_ray.client.discovery import ClientSettings, StackFile
from pinak_ray.hook.command import main
from pinak_ray.hook.decision import decision
from pinak_ray.hook.tool_call import ToolCall, read_tool_call
from pinak_ray.records.memory.nudges import new_intent
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.security.keys import KeyRing, jwks
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import Principal, verify_token
from pinak_ray.serve.v1.models.recall import IntendBody, NudgesAnswer

_CLI = "from pinak_ray.cli import main; main()"
CALL = {
    "session_id": "s1",
    "cwd": "/srv",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "psql -c 'DROP TABLE orders'", "description": "clean up"},
}
NUDGE = {
    "kind": "failure",
    "strength": "high",
    "message": "This failed before: dropping orders lost a day of sales",
    "reason": "evidence 0.9",
    "score": 0.9,
    "evidence": [
        {
            "id": "0198f3a2-7c1e-7000-8000-000000000000",
            "content": "dropping orders lost a day of sales",
            "score": 0.9,
            "layer": "episodic",
            "agent": "ops",
            "session": None,
            "tags": [],
            "outcome": "failure",
            "occurred_at": "2026-01-31T00:00:00Z",
            "created_at": "2026-01-31T00:00:00Z",
            "details": {},
            "source": "post-mortem 7",
            "signals": [
                {"name": name, "score": score, "rank": None, "weight": 1.0, "contribution": 0.4}
                for name, score in (("dense", 0.6), ("lexical", 2.5))
            ],
        }
    ],
    "id": "0198f3a2-7c1e-8000-8000-000000000001",
}


@dataclass
class Gateway:
    """Answers every question alike, and keeps what it was asked."""

    url: str = ""
    status: int = 200
    nudges: list[Any] = field(default_factory=lambda: [NUDGE])
    tokens: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    keys: KeyRing | None = None

    def answer(self, token: str, body: Any) -> tuple[int, Any]:
        """Return status and body; the token `old` is refused."""
        self.tokens.append(token)
        self.asked.append(body)
        if token == "old":
            return 401, {"code": "unauthorized"}
        if token == "own" and "agent" in body:
            return 403, {"code": "forbidden"}
        return self.status, {"nudges": self.nudges}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway on a free port of this machine."""
    one = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers["Authorization"].removeprefix("Bearer ")
            status, answer = one.answer(token, body)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            keys = one.keys.public_keys if one.keys is not None else ()
            raw = json.dumps(jwks(keys)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        one.url = f"http://127.0.0.1:{server.server_port}"
        yield one
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, gateway: Gateway) -> Path:
    """A home whose stack file names the gateway, with signing keys."""
    StackFile("127.0.0.1:1", gateway.url, "0").write(tmp_path)
    gateway.keys = KeyRing.load_or_create(tmp_path / "keys")
    return tmp_path


def environment_of(given: dict[str, str], token: str | None) -> dict[str, str]:
    """Return this process's environment without its own stack, and with what is given."""
    inherited = {name: value for name, value in os.environ.items() if "PINAK_" not in name}
    return {**inherited, **given, **({} if token is None else {"PINAK_TOKEN": token})}


def hook(
    *options: str, call: Any = CALL, token: str | None = "given", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the hook in this process; it must end with 0. Signing a token takes a second."""
    raw = call if isinstance(call, bytes) else json.dumps(call).encode()
    arguments = ["--timeout-ms", "20000", *options]
    with (
        patch.dict(os.environ, environment_of(environment, token), clear=True),
        patch.object(sys, "stdin", TextIOWrapper(BytesIO(raw))),
        redirect_stdout(StringIO()) as out,
        redirect_stderr(StringIO()) as errors,
    ):
        code = main(arguments)
    assert code == 0, errors.getvalue()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), errors.getvalue())


def hook_process(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the hook as a coding agent does, by the command line; it must end with 0."""
    return subprocess.run(
        [sys.executable, "-c", _CLI, "hook", "--timeout-ms", "20000", *options],
        input=json.dumps(CALL), capture_output=True, text=True, timeout=60, check=True,
        env=environment_of(environment, "given"),
    )  # fmt: skip


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what the hook decided."""
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)["hookSpecificOutput"]
    assert found.pop("hookEventName") == "PreToolUse"
    return found


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return why there was no decision: one line on standard error, and nothing else."""
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("pinak-ray hook: ")
    return done.stderr


def test_a_nudge_asks_the_user(gateway: Gateway, home: Path) -> None:
    """What failed before is put to the user, and told to the agent, with its evidence."""
    found = answer(hook_process("--home", str(home)))

    assert found["permissionDecision"] == "ask"
    for told in (found["permissionDecisionReason"], found["additionalContext"]):
        assert "lost a day of sales" in told
        assert "by ops on 2026-01-31, post-mortem 7" in told


def test_no_nudge_says_nothing(gateway: Gateway, home: Path) -> None:
    """Silence leaves the permission flow as it is: never an "allow", which would skip it."""
    gateway.nudges = []

    done = hook_process("--home", str(home))

    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("mode", "keys"),
    [
        ("warn", {"additionalContext"}),
        ("deny", {"permissionDecision", "permissionDecisionReason"}),
    ],
)
def test_modes(mode: str, keys: set[str]) -> None:
    """warn decides nothing; deny tells the agent its reason, which is all that reaches it."""
    found = decision([NUDGE], mode)

    assert found is not None
    answer = found["hookSpecificOutput"]
    assert answer.keys() == {"hookEventName", *keys}
    assert answer.get("permissionDecision", mode) == mode


def test_likeness_alone_denies_nothing() -> None:
    """A failure without a word of the call is told to the agent, and the call goes on."""
    alike = json.loads(json.dumps(NUDGE))
    alike["evidence"][0]["signals"][1]["score"] = 0.0

    found = decision([alike], "deny")
    assert found is not None
    assert found["hookSpecificOutput"].keys() == {"hookEventName", "additionalContext"}
    found = decision([alike, NUDGE], "deny")
    assert found is not None
    assert found["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_the_example_nudge_is_a_gateways() -> None:
    """These tests' nudge has the form that the gateway documents."""
    NudgesAnswer.model_validate({"nudges": [NUDGE]})


def test_the_question(gateway: Gateway, home: Path) -> None:
    """The command is the intent; tool and arguments go along, and the session names the agent."""
    hook("--home", str(home))
    hook("--home", str(home), PINAK_AGENT="deployer")
    hook("--home", str(home), "--agent", "planner", PINAK_AGENT="deployer")

    assert gateway.asked[0] == {
        "agent": "hook-s1",
        "intent": "psql -c 'DROP TABLE orders'",
        "tool": "Bash",
        "arguments": CALL["tool_input"],
        "repeat": True,
    }
    assert [asked["agent"] for asked in gateway.asked] == ["hook-s1", "deployer", "planner"]


@pytest.mark.parametrize(
    ("tool", "given", "intent"),
    [
        ("Write", {"file_path": "/a.sql", "content": "DROP\n  x"}, "Write /a.sql: DROP x"),
        ("Edit", {"file_path": "/a", "old_string": "1", "new_string": "2"}, "Edit /a: 2"),
        ("NotebookEdit", {"notebook_path": "/n", "new_source": "x = 1"}, "NotebookEdit /n: x = 1"),
        ("Write", {"file_path": "/a", "content": "\ud800"}, "Write /a: ?"),
        ("WebFetch", {"url": "http://h/x", "n": 3}, "WebFetch http://h/x 3"),
        ("mcp__db__run", {"q": {"sql": ["a"]}}, 'mcp__db__run {"sql": ["a"]}'),
        ("Bash", {"command": " \n "}, "Bash"),
        ("Bash", {}, "Bash"),
        ("Bash", {"command": 10**30}, f"Bash {10**30}"),
    ],
)  # fmt: skip
def test_intents(tool: str, given: dict[str, Any], intent: str) -> None:
    """Each kind of call is said in words."""
    assert ToolCall("s", tool, given).request("a")["intent"] == intent


@pytest.mark.parametrize(("mode", "repeat"), [("ask", True), ("deny", True), ("warn", False)])
def test_a_stopped_call_does_not_pass_at_the_second_try(
    gateway: Gateway, home: Path, mode: str, repeat: bool
) -> None:
    """Where a nudge stops the call the cool-down is not waited for; a mere warning has one."""
    hook("--mode", mode, "--home", str(home))

    assert [repeat] == [body["repeat"] for body in gateway.asked]


@pytest.mark.parametrize(
    "given",
    [
        {"command": "é\U0001f600\0\ud800" * 200_000},
        {"file_path": "/x" * 9_000, "content": "\U0001f600" * 100_000},
        {f"{n}" * 300: "\x01" * 9_000 for n in range(500)},
        {"deep": [[[{"n": float("nan")}]]] * 1_000, "x": float("inf"), "y": 10**30},
    ],
)
def test_every_question_fits_the_gateway(given: dict[str, Any]) -> None:
    """However large or odd a call is, what is asked about it is what the gateway takes."""
    body = ToolCall("s", "T\0" * 500, given).request("名" * 900)

    asked = IntendBody.model_validate_json(json.dumps(body, allow_nan=False))

    assert new_intent(asked.intent, tool=asked.tool, arguments=asked.arguments).search_text
    assert Owner(1, Space.AGENT, str(asked.agent)).name


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"[" * 900_000,
        b"1" * 5_000,
        b"{}",
        b'{"tool_name": ""}',
        b'{"tool_name": 3}',
        b'{"tool_name": "Bash", "tool_input": "ls"}',
        b'{"tool_name": "Bash", "hook_event_name": "PostToolUse"}',
        b'{"tool_name": "Bash", "x": "' + b"x" * (1 << 20) + b'"}',
    ],
)
def test_no_tool_call(raw: bytes) -> None:
    """What is no tool call, or larger than 1 MiB, is a ValueError, never a crash."""
    with pytest.raises(ValueError, match=r"tool call|PreToolUse"):
        read_tool_call(BytesIO(raw))


def test_odd_input_fails_open(home: Path) -> None:
    """A call that cannot be read is a line on standard error and exit code 0."""
    assert "no JSON" in refused(hook("--home", str(home), call=b"{"))


def test_no_stack_fails_open(tmp_path: Path) -> None:
    """Where nothing runs the tool call goes on."""
    assert "pinak-ray up" in refused(hook_process("--home", str(tmp_path)))


def test_a_dead_gateway_fails_open(gateway: Gateway, home: Path) -> None:
    """A stack file that outlived its stack stops nobody."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    assert "goes on" in refused(hook("--url", url))


@contextmanager
def trickling() -> Iterator[str]:
    """A server that sends a byte of its answer now and then, and never ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.05):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def test_a_slow_gateway_fails_open() -> None:
    """The limit holds for the whole question, also when bytes keep coming."""
    with trickling() as url:
        said = refused(hook_process("--url", url, "--timeout-ms", "250"))

    assert "within 250 ms" in said


@pytest.mark.parametrize("status", [403, 422, 500, 503])
def test_a_refusal_fails_open(gateway: Gateway, home: Path, status: int) -> None:
    """An error of the gateway is named by its status."""
    gateway.status = status

    assert str(status) in refused(hook("--home", str(home)))


@pytest.mark.parametrize("nudges", [[{}], 7, "x", [None]])
def test_an_odd_answer_fails_open(gateway: Gateway, home: Path, nudges: Any) -> None:
    """An answer of another form stops nobody."""
    gateway.nudges = nudges

    refused(hook("--home", str(home)))


def principal(gateway: Gateway, token: str) -> Principal:
    """Return whom a token speaks for."""
    assert gateway.keys is not None
    return verify_token(token, {key.kid: key for key in gateway.keys.public_keys})


def kept_token(home: Path) -> Path:
    """Return the file of the one token that the hook keeps."""
    (file,) = home.glob("hook_token-*")
    return file


def test_the_token_is_kept_and_speaks_for_the_sessions(gateway: Gateway, home: Path) -> None:
    """The first call signs a token for its namespace, mode 0600, and the next ones use it."""
    hook("--home", str(home), PINAK_PROJECT="web", token=None)
    hook("--home", str(home), "--project", "web", token=None)

    assert len(set(gateway.tokens)) == 1
    who = principal(gateway, gateway.tokens[0])
    assert (str(who.namespace), who.scopes) == (
        "default/web",
        frozenset({Scope.READ, Scope.WRITE, Scope.AGENTS}),
    )
    assert stat.S_IMODE(kept_token(home).stat().st_mode) == 0o600


def test_each_namespace_has_its_own_token(gateway: Gateway, home: Path) -> None:
    """A kept token never asks another project's memories."""
    for project in ("web", "a/../b", "web"):
        hook("--home", str(home), "--project", project, token=None)

    spoken = [principal(gateway, token).namespace.project for token in gateway.tokens]
    assert spoken == ["web", "a/../b", "web"]
    assert gateway.tokens[0] == gateway.tokens[2]


def test_a_token_for_one_subject_asks_as_that_subject(gateway: Gateway, home: Path) -> None:
    """A session's own name is left out where the token may not speak for it; a given one is not."""
    found = answer(hook("--home", str(home), token="own"))

    assert found["permissionDecision"] == "ask"
    assert ["agent" in body for body in gateway.asked] == [True, False]
    assert "403" in refused(hook("--home", str(home), "--agent", "eve", token="own"))


@pytest.mark.parametrize("damage", ["expired", "unreadable", "refused", "forbidden"])
def test_a_token_that_does_not_hold_is_renewed(gateway: Gateway, home: Path, damage: str) -> None:
    """An expired, damaged or no longer accepted token is replaced, and the call still answered."""
    hook("--home", str(home), token=None)
    kept = json.loads(kept_token(home).read_text())
    if damage == "expired":
        kept["expires_at"] = time.time()
    elif damage in {"refused", "forbidden"}:
        kept["token"] = {"refused": "old", "forbidden": "own"}[damage]
    kept_token(home).write_text("{" if damage == "unreadable" else json.dumps(kept))

    found = answer(hook("--home", str(home), token=None))

    assert found["permissionDecision"] == "ask"
    assert gateway.tokens[-1] != gateway.tokens[0]
    assert principal(gateway, gateway.tokens[-1]).subject == "hook"
    assert gateway.tokens[-1] in kept_token(home).read_text()


def test_a_home_without_keys_fails_open(gateway: Gateway, tmp_path: Path) -> None:
    """No key ring is made where there is none."""
    StackFile("127.0.0.1:1", gateway.url, "0").write(tmp_path)

    assert "keys" in refused(hook("--home", str(tmp_path), token=None))
    assert not (tmp_path / "keys").exists()


def test_another_stack_on_the_homes_port_is_told_nothing(gateway: Gateway, home: Path) -> None:
    """After a crash another stack may have the port: no token and no tool call is sent there."""
    gateway.keys = KeyRing.load_or_create(home / "of-another-stack")

    for token in ("given", None):
        assert "another stack answers" in refused(hook("--home", str(home), token=token))
    assert gateway.asked == []


def test_a_homes_token_goes_nowhere_else(gateway: Gateway, home: Path) -> None:
    """With a URL only PINAK_TOKEN is sent; without one nothing is."""
    said = refused(hook("--url", gateway.url, PINAK_HOME=str(home), token=None))
    hook(PINAK_URL=gateway.url, PINAK_HOME=str(home), token="given\n")

    assert "PINAK_TOKEN" in said
    assert gateway.tokens == ["given"]


def test_a_malformed_token_is_not_shown() -> None:
    """A secret that is no token does not end up in a log."""
    said = refused(hook("--url", "http://127.0.0.1:1", token="se\ncret"))

    assert "malformed" in said
    assert "cret" not in said


def test_the_usual_home_and_names(gateway: Gateway, home: Path) -> None:
    """Without options the environment decides, by the names that `connect` knows."""
    hook(PINAK_HOME=str(home), PINAK_TENANT="acme", PINAK_PROJECT="web", token=None)

    assert str(principal(gateway, gateway.tokens[0]).namespace) == "acme/web"
    assert {"home", "url", "token", "tenant", "project"} == {
        each.name for each in fields(ClientSettings)
    }


def test_only_the_standard_library_is_imported(gateway: Gateway, home: Path) -> None:
    """The way to an answer loads no third-party module: that is what makes it fast."""
    hook("--home", str(home), token=None)
    code = (
        "import sys; before = set(sys.modules)\n"
        "from pinak_ray.cli import main\n"
        "import os; os._exit = sys.exit\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - {*sys.stdlib_module_names, 'pinak_ray'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "hook", "--home", str(home), "--timeout-ms", "20000"],
        input=json.dumps(CALL), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert "permissionDecision" in done.stdout
    assert done.stderr == "[]\n"


def test_print_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """The fragment calls the hook with the same options, quoted for a shell."""
    assert main(["--print-settings", "--mode", "warn", "--project", "my web"]) == 0

    (entry,) = json.loads(capsys.readouterr().out)["hooks"]["PreToolUse"]
    (command,) = entry["hooks"]
    assert command["command"].endswith("pinak-ray hook --mode warn --project 'my web'")
    assert "Bash" in entry["matcher"]


@pytest.mark.parametrize("option", ["--bogus", "--mode=allow", "--timeout-ms=0", "--timeout-ms=x"])
def test_wrong_options_do_not_block(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 would block every tool call, so wrong usage is 1, with one line."""
    with pytest.raises(SystemExit) as ended:
        main([option])

    assert ended.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1
