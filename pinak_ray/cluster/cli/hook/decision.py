"""What the hook answers: the shape that coding agents read after a pre-tool hook.

`ask` and `deny` show their reason to the user and to the agent respectively, so the warning also
goes into the agent's context when the user is asked. Never `allow`: it would skip the permission
that the user may still want to be asked for.
"""

from collections.abc import Sequence
from typing import Any

__all__ = ["MODES", "decision"]

MODES = ("ask", "warn", "deny")
_EVIDENCE_CHARS = 1_000


def decision(nudges: Sequence[dict[str, Any]], mode: str) -> dict[str, Any] | None:
    """Return the hook's answer to a gateway's nudges, or None to say nothing."""
    if not nudges:
        return None
    warning = "\n".join(_said(nudge) for nudge in nudges)
    answer = {"hookEventName": "PreToolUse"}
    if mode != "warn":
        answer |= {"permissionDecision": mode, "permissionDecisionReason": warning}
    if mode != "deny":
        answer["additionalContext"] = warning
    return {"hookSpecificOutput": answer}


def _said(nudge: dict[str, Any]) -> str:
    message = nudge["message"]
    lines = [f"pinak-ray ({nudge['strength']}): {message}"]
    for memory in nudge["evidence"]:
        source = f", {memory['source']}" if memory["source"] else ""
        by = f"  by {memory['agent']} on {memory['occurred_at'][:10]}{source} ({memory['id']})"
        whole = memory["content"]
        lines.append(by if whole in message else f"{by}: {whole[:_EVIDENCE_CHARS]}")
    return "\n".join(lines)
