"""An intent, and the nudges that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import check_json, check_name, check_text
from pinak_ray.records.recall import Hit

__all__ = ["Intent", "Nudge", "NudgeKind", "Strength", "new_intent"]

MAX_INTENT_BYTES = 8_192
MAX_NUDGES = 10


class NudgeKind(StrEnum):
    """What bears on the intent."""

    FAILURE = "failure"
    CONTRADICTION = "contradiction"


class Strength(StrEnum):
    """How strongly the evidence bears on the intent."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Intent:
    """What an agent is about to do: text, and optionally the tool and its arguments (JSON)."""

    text: str
    tool: str | None = None
    arguments: bytes = b"{}"

    @property
    def search_text(self) -> str:
        """The text, the tool and the arguments' values: what the action itself says."""
        if self.tool is None and self.arguments == b"{}":
            return self.text
        words = [self.tool or "", *_values(orjson.loads(self.arguments))]
        extra = " ".join(word for word in words if word and word not in self.text)
        return f"{self.text} {extra}".strip()


def _values(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [word for item in value.values() for word in _values(item)]
    if isinstance(value, list):
        return [word for item in value for word in _values(item)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


@dataclass(frozen=True, slots=True)
class Nudge:
    """A past failure that bears on an intent, with its evidence and the reason for showing it."""

    kind: NudgeKind
    strength: Strength
    message: str
    reason: str
    score: float
    evidence: tuple[Hit, ...] = field(default_factory=tuple)


def new_intent(
    text: str, *, tool: str | None = None, arguments: Mapping[str, Any] | None = None
) -> Intent:
    """Return a checked Intent; raises InvalidInput."""
    return Intent(
        check_text("intent", text, limit=MAX_INTENT_BYTES),
        None if tool is None else check_name("tool", tool),
        b"{}" if arguments is None else check_json("arguments", dict(arguments)),
    )


def check_nudge_count(k: object) -> int:
    """Return `k` if that many nudges may be asked for, or raise InvalidInput."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_NUDGES:
        raise InvalidInput(f"k is {k!r}, it must be a whole number from 1 to {MAX_NUDGES}")
    return k
