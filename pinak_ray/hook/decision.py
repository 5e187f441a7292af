"""What the hook answers: the shape that coding agents read after a pre-tool hook.

`ask` and `deny` show their reason to the user and to the agent respectively, so the warning also
goes into the agent's context when the user is asked. Never `allow`: it would skip the permission
that the user may still want to be asked for.

What a memory says is shown as a quotation, with who wrote it: a coding agent reads it as data.
"""

from collections.abc import Sequence
from typing import Any

from pinak_ray.language.shown import QUOTED, quoted, shown

__all__ = ["MODES", "decision"]

MODES = ("ask", "warn", "deny")
_EVIDENCE_CHARS = 1_000


def decision(nudges: Sequence[dict[str, Any]], mode: str) -> dict[str, Any] | None:
    """Return the hook's answer to a gateway's nudges, or None to say nothing.

    What only resembles the call, and shares no word with it, denies nothing: the agent hears of it.
    """
    if not nudges:
        return None
    if mode == "deny":
        said = [nudge for nudge in nudges if _shares_a_word(nudge)]
        nudges, mode = (said, mode) if said else (nudges, "warn")
    warning = "\n".join(_said(nudge) for nudge in nudges)
    answer = {"hookEventName": "PreToolUse"}
    if mode != "warn":
        answer |= {"permissionDecision": mode, "permissionDecisionReason": warning}
    if mode != "deny":
        answer["additionalContext"] = warning
    return {"hookSpecificOutput": answer}


def _shares_a_word(nudge: dict[str, Any]) -> bool:
    """Tell whether any memory behind a nudge has a word of the call: a score of its words."""
    signals = (signal for memory in nudge["evidence"] for signal in memory["signals"])
    return any(signal["name"] == "lexical" and (signal["score"] or 0) > 0 for signal in signals)


def _said(nudge: dict[str, Any]) -> str:
    evidence = nudge["evidence"]
    head = f"pinak-ray ({nudge['strength']}): {shown(_says(nudge['message'], evidence))}"
    return ": ".join([head, *("\n  ".join(_quotation(memory)) for memory in evidence)])


def _quotation(memory: dict[str, Any]) -> tuple[str, str]:
    source = f", {shown(memory['source'])}" if memory["source"] else ""
    by = f"{shown(memory['agent'])} on {memory['occurred_at'][:10]}{source}"
    return quoted(
        memory["content"], _EVIDENCE_CHARS
    ), f"a quotation, written by {by} ({memory['id']})"


def _says(message: str, evidence: Sequence[dict[str, Any]]) -> str:
    """Return a nudge's message up to where it quotes its memory, which follows in full."""
    for memory in evidence:
        cut = shown(memory["content"], QUOTED)
        if message.endswith(cut):
            return message.removesuffix(cut).rstrip(" :")
    return message
