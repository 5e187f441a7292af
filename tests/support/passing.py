"""Which memories a recall's filters let pass, in the words of docs/use/recall.md."""

from datetime import UTC, datetime
from typing import Any

__all__ = ["passes"]

_EVER = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)


def passes(memory: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Tell whether a memory, as remember's arguments, may answer what recall's arguments ask."""
    tags, entities = set(memory["tags"]), set(memory["entities"])
    for name, of in (("layers", "layer"), ("agents", "agent"), ("sessions", "session")):
        if asked.get(name) and memory[of] not in asked[name]:
            return False
    if any(tag not in tags for tag in asked.get("tags", ())):
        return False
    if asked.get("any_tags") and not any(tag in tags for tag in asked["any_tags"]):
        return False
    if any(tag in tags for tag in asked.get("no_tags", ())):
        return False
    if any(entity not in entities for entity in asked.get("entities", ())):
        return False
    if asked.get("outcome") and memory["outcome"] != asked["outcome"]:
        return False
    since, until = asked.get("since") or _NEVER, asked.get("until") or _EVER
    return bool(since <= memory["occurred_at"] < until)
