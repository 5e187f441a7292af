"""The command: read a tool call, ask the gateway, print the decision; fail open."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

from pinak_ray.hook.decision import MODES, decision
from pinak_ray.hook.gateway import (
    Namespace,
    Refused,
    ask,
    cached_token,
    check_own,
    fresh_token,
    running_url,
)
from pinak_ray.hook.tool_call import ToolCall, read_tool_call
from pinak_ray.language.shown import shown

__all__ = ["main"]

_INPUT_TIMEOUT_S = 2.0
# What changes nothing (Read, Grep, Glob) need not wait for an answer.
_MATCHER = "Bash|Write|Edit|MultiEdit|NotebookEdit|WebFetch|mcp__.*"
_TOOL_TIMEOUT_S = 5
_MAX_TIMEOUT_MS = 60_000

_EPILOG = """
examples:
  pinak-ray hook --print-settings               for ~/.claude/settings.json
  pinak-ray hook --print-settings --mode warn   the agent hears it, nobody is asked
  echo '{"tool_name": "Bash", "tool_input": {"command": "kubectl delete ns prod"}}' | pinak-ray hook

Prints nothing when nothing like the call failed before, and nothing but a line on standard error
when the stack does not answer: the tool call then goes on as if there were no hook. A gateway
elsewhere: PINAK_URL and PINAK_TOKEN. Wrong options exit with 1, not 2, which would block the tool.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(1, f"pinak-ray hook: {message}\n")


class _TooLate(Exception):
    """No OSError, which libraries catch to try again."""


def main(arguments: Sequence[str]) -> int:
    """Run the hook and return its exit code: 0, whatever becomes of the question."""
    options = _parser().parse_args(arguments)
    if options.print_settings:
        print(json.dumps(_settings(arguments), indent=2))
        return 0
    try:
        with _within(_INPUT_TIMEOUT_S, "standard input did not end"):
            call = read_tool_call(sys.stdin.buffer)
        answer = decision(_nudges(options, call), options.mode)
        if answer is not None:
            print(json.dumps(answer), flush=True)
    except Exception as error:
        said = shown(str(error)) or type(error).__name__
        print(f"pinak-ray hook: {said}; the tool call goes on", file=sys.stderr)
    return 0


def _parser() -> _Parser:
    parser = _Parser(
        prog="pinak-ray hook",
        description="Warn a coding agent before its tool runs.\n\nReads a tool call as JSON "
        "(Claude Code's PreToolUse, and what speaks like it) and prints a decision.",
        epilog=_EPILOG,
        # Without a width it imports shutil to find one, each time that an option is added.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=100),
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--mode", choices=MODES, default="ask", help="on a nudge: ask the user (the default), only "
        "warn the agent, or deny the call")  # fmt: skip
    add("--agent", default=os.environ.get("PINAK_AGENT"), help="who acts; PINAK_AGENT, else hook-"
        "and the session's id")  # fmt: skip
    add("--timeout-ms", type=_milliseconds, default=300, help="how long the stack may take (300)")
    add("--home", type=Path, help="home of the stack; PINAK_HOME, ~/.pinak-ray")
    add("--url", help="a gateway elsewhere, whose token is in PINAK_TOKEN; PINAK_URL")
    add("--tenant", default=os.environ.get("PINAK_TENANT", "default"), help="PINAK_TENANT")
    add("--project", default=os.environ.get("PINAK_PROJECT", "default"), help="PINAK_PROJECT")
    add("--print-settings", action="store_true", help="print what to paste into settings.json")
    return parser


def _milliseconds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MAX_TIMEOUT_MS:
        raise argparse.ArgumentTypeError(f"{text!r} is not within 1 and {_MAX_TIMEOUT_MS}")
    return int(text)


def _settings(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the fragment of settings.json that calls this hook with the same options."""
    from shlex import join

    script = Path(sys.argv[0])
    # In full: a coding agent's PATH need not hold the environment that this is installed in.
    program = str(script.absolute()) if script.name == "pinak-ray" else "pinak-ray"
    command = [program, "hook", *(each for each in arguments if each != "--print-settings")]
    call = {"type": "command", "command": join(command), "timeout": _TOOL_TIMEOUT_S}
    return {"hooks": {"PreToolUse": [{"matcher": _MATCHER, "hooks": [call]}]}}


def _nudges(options: argparse.Namespace, call: ToolCall) -> list[dict[str, Any]]:
    """Ask as the other commands do: --url, then --home, then PINAK_URL, then the usual home."""
    timeout_s = options.timeout_ms / 1000
    agent = options.agent or f"hook-{call.session}"
    request = call.request(agent, repeat=options.mode != "warn")
    token = os.environ.get("PINAK_TOKEN", "").strip()
    url = options.url or (os.environ.get("PINAK_URL") if options.home is None else None)

    def asked(url: str, token: str, request: dict[str, Any] = request) -> list[dict[str, Any]]:
        with _within(timeout_s, "the stack did not answer"):
            return ask(url, token, request, timeout_s=timeout_s)

    def asked_by_theirs(url: str) -> list[dict[str, Any]]:
        try:
            return asked(url, token)
        except Refused as error:
            if error.status != HTTPStatus.FORBIDDEN or options.agent:
                raise
        # It speaks for its subject alone: then the subject asks, and not this session.
        return asked(url, token, {name: request[name] for name in request if name != "agent"})

    if url:
        # This home's token is for this home's gateway, and never sent elsewhere.
        return asked_by_theirs(url)
    home = options.home or os.environ.get("PINAK_HOME") or Path.home() / ".pinak-ray"
    home = Path(home).expanduser()
    url = running_url(home)
    if (home / "keys").is_dir():
        with _within(timeout_s, "the stack did not answer"):
            check_own(url, home, timeout_s=timeout_s)
    if token:
        return asked_by_theirs(url)
    namespace = Namespace(home, options.tenant, options.project)
    try:
        return asked(url, cached_token(namespace) or fresh_token(namespace))
    except Refused as error:
        if error.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise
    # The keys were replaced since it was signed, or it is of a version that asked for less.
    return asked(url, fresh_token(namespace))


@contextmanager
def _within(seconds: float, otherwise: str) -> Iterator[None]:
    """Raise _TooLate in the block when it takes longer; a socket's timeout holds per step only."""

    def ring(*_: object) -> NoReturn:
        raise _TooLate(f"{otherwise} within {seconds * 1000:.0f} ms")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
