"""What the demo found, as values."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any
from uuid import UUID

from pinak_ray.cli.demo.agents import Attempt
from pinak_ray.cli.demo.crash import Crash
from pinak_ray.cli.demo.evidence import Count

__all__ = ["Result", "percentile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one run; the counts are the database's."""

    agents: int
    new_memories: int
    memories: Count
    notes: Count
    posts: Count
    unread: int
    """Acknowledged notes that the agents' own handles do not show."""
    refused: int
    """Notes that the agents were told failed: not acknowledged, so not lost."""
    longest_note_s: float
    crash: Crash
    attempts: list[Attempt]
    incident_of: dict[UUID, str]
    seconds: float

    @property
    def counts(self) -> dict[str, Count]:
        """The counts by what was written."""
        return {"memories": self.memories, "notes": self.notes, "scratchpad entries": self.posts}

    @property
    def lost(self) -> int:
        """Acknowledged writes that are gone, or that an agent cannot read back."""
        return sum(count.lost for count in self.counts.values()) + self.unread

    @property
    def duplicated(self) -> int:
        """Writes that happened twice."""
        return sum(count.duplicated for count in self.counts.values())

    @property
    def nudged(self) -> list[Attempt]:
        """The attempts that met a nudge."""
        return [one for one in self.attempts if one.nudges]

    def is_relevant(self, one: Attempt) -> bool:
        """Tell whether the first nudge shows an incident that is labelled as bearing on it."""
        shown = self.incident_of.get(one.nudges[0].evidence[0].id) if one.nudges else None
        return shown in one.intention.relevant

    @property
    def figures(self) -> dict[str, int]:
        """How the nudges did against the labels."""
        risky = [one for one in self.attempts if one.intention.risky]
        harmless = [one for one in self.attempts if not one.intention.risky]
        return {
            "risky": len(risky),
            "risky_nudged": sum(bool(one.nudges) for one in risky),
            "risky_nudged_with_labelled_incident": sum(map(self.is_relevant, risky)),
            "harmless": len(harmless),
            "harmless_nudged": sum(bool(one.nudges) for one in harmless),
        }

    def as_json(self) -> dict[str, Any]:
        """Return everything that a script may want."""
        return {
            "agents": self.agents,
            "acknowledged": sum(count.acknowledged for count in self.counts.values()),
            "found": sum(count.found for count in self.counts.values()),
            "lost": self.lost,
            "duplicated": self.duplicated,
            "unread": self.unread,
            "refused": self.refused,
            "new_memories": self.new_memories,
            "writes": {
                name.replace(" ", "_"): {**count._asdict(), "lost": count.lost}
                for name, count in self.counts.items()
            },
            "crash": asdict(self.crash),
            "longest_note_s": self.longest_note_s,
            "nudges": self.figures,
            "nudged": [_as_json(one) for one in self.nudged],
            "recall_ms": _spread([one.recall_ms for one in self.attempts]),
            "intend_ms": _spread([one.intend_ms for one in self.attempts]),
            "seconds": self.seconds,
        }


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the percentile of the values (at least two of them)."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": percentile(values, 50), "p95": percentile(values, 95)}


def _as_json(one: Attempt) -> dict[str, Any]:
    nudge = one.nudges[0]
    return {
        "agent": one.agent,
        "intent": one.intention.text,
        "risky": one.intention.risky,
        "strength": nudge.strength,
        "score": nudge.score,
        "message": nudge.message,
        "source": nudge.evidence[0].source,
    }
