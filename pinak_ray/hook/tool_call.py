"""What a coding agent is about to do: its tool call, and the intent that it stands for."""

import json
from typing import Any, BinaryIO, NamedTuple

__all__ = ["ToolCall", "read_tool_call"]

_MAX_INPUT_BYTES = 1 << 20
# An embedder reads some 256 tokens; 2,000 characters of UTF-8 stay below the gateway's 8 KiB.
_INTENT_CHARS = 2_000
_ARGUMENT_CHARS = 200
_ARGUMENTS = 16
_NAME_CHARS = 60
_MAX_WHOLE = 1 << 53  # larger ones are not the same number in every JSON parser


class ToolCall(NamedTuple):
    """One call: its conversation ("" if unknown), the tool, and what the tool is given."""

    session: str
    tool: str
    arguments: dict[str, Any]

    def request(self, agent: str, *, repeat: bool = True) -> dict[str, Any]:
        """Return the body of `POST /v1/nudges`; it fits the gateway's limits.

        `repeat` asks without a cool-down: a call that was stopped must not pass at the second try.
        """
        arguments = list(self.arguments.items())[:_ARGUMENTS]
        return {
            "agent": _short(agent, _NAME_CHARS),
            "intent": _short(self._intent(), _INTENT_CHARS),
            "tool": _short(self.tool, _NAME_CHARS),
            "arguments": {_short(name, _NAME_CHARS): _brief(value) for name, value in arguments},
            "repeat": repeat,
        }

    def _intent(self) -> str:
        """Say it in words: a shell's command, a file and what goes in, or the tool and the rest."""
        given = self.arguments
        if command := _text(given, "command"):
            return command
        if path := _text(given, "file_path", "notebook_path", "path"):
            change = _text(given, "content", "new_string", "new_source")
            return f"{self.tool} {path}: {_brief(change)}" if change else f"{self.tool} {path}"
        values = (str(_brief(value)) for value in list(given.values())[:_ARGUMENTS])
        return " ".join([self.tool, *values])


def read_tool_call(source: BinaryIO) -> ToolCall:
    """Return the call that a pre-tool hook is handed; raises ValueError for anything else."""
    raw = source.read(_MAX_INPUT_BYTES + 1)
    if len(raw) > _MAX_INPUT_BYTES:
        raise ValueError(f"the tool call is larger than {_MAX_INPUT_BYTES} bytes")
    if not raw.strip():
        raise ValueError("no tool call on standard input")
    try:
        call = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the tool call is no JSON: {error}") from None
    if not isinstance(call, dict):
        raise ValueError("the tool call is no JSON object")
    if call.get("hook_event_name", "PreToolUse") != "PreToolUse":
        raise ValueError(
            "only PreToolUse can be answered; the hook is registered for another event"
        )
    tool, arguments = call.get("tool_name"), call.get("tool_input") or {}
    if not isinstance(tool, str) or not tool.strip() or not isinstance(arguments, dict):
        raise ValueError("the tool call needs tool_name, and an object as tool_input")
    return ToolCall(str(call.get("session_id") or ""), tool, arguments)


def _text(given: dict[str, Any], *names: str) -> str:
    """Return the first of these arguments that holds visible text, "" if none does."""
    texts = (given.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _brief(value: Any) -> Any:
    """Return a flag or a usual number as it is, and anything else as short text."""
    if value is None or (isinstance(value, int) and abs(value) < _MAX_WHOLE):
        return value
    return _short(value if isinstance(value, str) else json.dumps(value), _ARGUMENT_CHARS)


def _short(text: str, limit: int) -> str:
    """Return the text's beginning on one line, without what the gateway refuses to store.

    The gateway drops arguments that the intent already holds; the same shortening of both lets
    it see that.
    """
    visible = text[: 4 * limit].replace("\0", " ").encode("utf-8", "replace").decode()
    return " ".join(visible.split())[:limit].rstrip()
