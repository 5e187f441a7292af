"""What a simulation found, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinak_ray.cli.simulation.behaviour import Verb
from pinak_ray.cli.simulation.hosts import Hosts
from pinak_ray.cli.simulation.plan import Plan
from pinak_ray.cli.simulation.samples import Cell, Histogram, Samples
from pinak_ray.cli.simulation.verification import Verified

__all__ = ["Result"]

# Above this the schedule of a human-like load was not kept: a person would notice.
_BEHIND_MS = 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one run."""

    plan: Plan
    project: str
    began_at: datetime
    seconds: float
    """How long the agents acted: the plan's time, or less."""
    ended_early: bool
    tasks_died: int
    machine: dict[str, Any]
    samples: Samples
    hosts: Hosts
    verified: Verified

    @property
    def rows(self) -> dict[str, Cell]:
        """Every verb that was used, and `all`."""
        used = {verb.value: self.samples.of_verb(verb) for verb in Verb}
        kept = {name: cell for name, cell in used.items() if cell.latency.count or cell.errors}
        return {**kept, "all": self.samples.all_verbs()}

    @property
    def kept_up(self) -> bool:
        """Whether operations left when they were due."""
        late = self.samples.all_lag().percentile(99)
        return self.samples.unsent == 0 and (late is None or late <= _BEHIND_MS)

    def per_s(self, cell: Cell) -> float:
        """Return a cell's answered operations per second of the whole run."""
        return cell.latency.count / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return everything that a script may want."""
        total = self.samples.all_verbs()
        return {
            "agents": self.plan.agents,
            "seconds": self.seconds,
            "ended_early": self.ended_early,
            "rate": self.plan.rate,
            "tasks": self.plan.tasks,
            "tasks_died": self.tasks_died,
            "seed": self.plan.seed,
            "project": self.project,
            "began_at": self.began_at,
            "operations": total.latency.count,
            "operations_per_s": self.per_s(total),
            "errors": dict(total.errors),
            "verbs": {name: self._figures(cell) for name, cell in self.rows.items()},
            "kept_up": self.kept_up,
            "lag_ms": spread(self.samples.all_lag()),
            "unsent": self.samples.unsent,
            "nudged": self.samples.nudged,
            "hosts": {
                "peak_bytes": self.hosts.peak_bytes,
                "most_active": self.hosts.most_active,
            },
            "verified": self.verified.as_json(),
            "lost": self.verified.lost,
            "machine": self.machine,
        }

    def _figures(self, cell: Cell) -> dict[str, Any]:
        return {
            "count": cell.latency.count,
            "per_s": self.per_s(cell),
            "latency_ms": spread(cell.latency),
            "service_ms": spread(cell.service),
            "errors": dict(cell.errors),
        }


def spread(histogram: Histogram) -> dict[str, float | None]:
    """Return the percentiles that are reported, in milliseconds."""
    return {
        "p50": histogram.percentile(50),
        "p95": histogram.percentile(95),
        "p99": histogram.percentile(99),
        "max": histogram.longest_ms if histogram.count else None,
    }
