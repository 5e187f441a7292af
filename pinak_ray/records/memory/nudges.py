"""An intent, and the nudges that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import orjson

from pinak_ray.records.ids import id_from_key
from pinak_ray.records.limits import check_json, check_name, check_text, check_whole, named
from pinak_ray.records.memory.recall import Hit
from pinak_ray.records.results import Result

__all__ = [
    "INTENT_KEY",
    "INTENT_TTL_S",
    "LEFT_ALONE_FOR",
    "STANDS_FOR",
    "Intent",
    "Nudge",
    "NudgeKind",
    "Strength",
    "Verdict",
    "new_intent",
    "nudge_id",
]

MAX_INTENT_BYTES = 8_192
MAX_NUDGES = 10
INTENT_KEY = "$intent"
"""Of the working item that holds an agent's intent; callers' keys cannot start with `$`."""
INTENT_TTL_S = 3600.0
STANDS_FOR = timedelta(minutes=15)
"""An agent that said nothing for so long is doing something else by now."""
LEFT_ALONE_FOR = timedelta(seconds=10)
"""Many failures at once are mostly one incident: the first says it; more would teach to skip."""


class NudgeKind(StrEnum):
    """What bears on the intent."""

    FAILURE = "failure"
    CONTRADICTION = "contradiction"


class Strength(StrEnum):
    """How strongly the evidence bears on the intent."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Verdict(StrEnum):
    """What an agent says of a nudge; `acted_on`: useful, and the action was left or changed."""

    USEFUL = "useful"
    NOT_USEFUL = "not_useful"
    ACTED_ON = "acted_on"


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

    @property
    def statement(self) -> str:
        """The text, the tool and the named arguments, a sentence each: what the action asserts."""
        arguments = _named("", orjson.loads(self.arguments))
        return ".\n".join([self.text, *([self.tool] if self.tool else []), *arguments])

    def encoded(self) -> bytes:
        """Return it as JSON."""
        arguments = orjson.Fragment(self.arguments)
        return orjson.dumps({"text": self.text, "tool": self.tool, "arguments": arguments})

    @classmethod
    def decoded(cls, encoded: bytes) -> Self:
        """Return what was encoded."""
        fields = orjson.loads(encoded)
        return cls(fields["text"], fields["tool"], orjson.dumps(fields["arguments"]))


def _named(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _named(key, item)]
    if isinstance(value, list):
        return [line for item in value for line in _named(name, item)]
    return [] if value is None or isinstance(value, bool) else [f"{name} {value}"]


def _values(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [word for item in value.values() for word in _values(item)]
    if isinstance(value, list):
        return [word for item in value for word in _values(item)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


@dataclass(frozen=True, slots=True)
class Nudge(Result):
    """A past failure, or a contradicted fact, that bears on an intent; why, and its evidence.

    `id` is what `feedback` names: the same agent, memory and intent make the same one.
    """

    kind: NudgeKind
    strength: Strength
    message: str
    reason: str
    score: float
    evidence: tuple[Hit, ...]
    id: UUID


def new_intent(
    text: str, *, tool: str | None = None, arguments: Mapping[str, Any] | None = None
) -> Intent:
    """Return a checked Intent; raises InvalidInput."""
    return Intent(
        check_text("intent", text, limit=MAX_INTENT_BYTES),
        None if tool is None else check_name("tool", tool),
        b"{}" if arguments is None else check_json("arguments", dict(arguments)),
    )


def nudge_id(namespace_id: int, agent: str, memory_id: UUID, intent: Intent) -> UUID:
    """Return the id of the nudge that tells this agent of this memory on this intent."""
    arguments = orjson.dumps(orjson.loads(intent.arguments), option=orjson.OPT_SORT_KEYS)
    action = orjson.dumps([str(memory_id), intent.text, intent.tool, arguments.decode()])
    return id_from_key(namespace_id, agent, action.decode())


def verdict_named(value: str) -> Verdict:
    """Return the verdict named by `value`, or raise InvalidInput naming the choices."""
    return named(Verdict, "verdict", value)


def check_nudge_count(k: object) -> int:
    """Return `k` if that many nudges may be asked for, or raise InvalidInput."""
    return check_whole("k", k, low=1, high=MAX_NUDGES)
