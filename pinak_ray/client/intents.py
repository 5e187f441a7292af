"""An agent's current intent as a working item: written by `intend`, read by `context`."""

from collections.abc import Iterable

import orjson

from pinak_ray.records.ids import uuid7
from pinak_ray.records.memories import Ack
from pinak_ray.records.nudges import Intent
from pinak_ray.records.operations import Intend, Note
from pinak_ray.records.state import WorkingItem

__all__ = ["INTENT_KEY", "intent_note", "noted_intent"]

INTENT_KEY = "$intent"
"""Of the working item; user keys cannot start with `$`."""
_TTL_S = 3600.0


def intent_note(operation: Intend) -> Note:
    """Return the working item that records what the agent is about to do."""
    text, tool, arguments = operation.intent.text, operation.intent.tool, operation.intent.arguments
    value = {"text": text, "tool": tool, "arguments": orjson.Fragment(arguments)}
    encoded = orjson.dumps(value)
    return Note(operation.owner, INTENT_KEY, encoded, uuid7(), ttl_s=_TTL_S, ack=Ack.ACCEPTED)


def noted_intent(items: Iterable[WorkingItem]) -> Intent | None:
    """Return the intent among these items, if it is there."""
    for item in items:
        if item.key == INTENT_KEY:
            said = item.value
            # An item of an earlier version has no arguments.
            return Intent(said["text"], said["tool"], orjson.dumps(said.get("arguments", {})))
    return None
