"""What is asked of a simulation: how many agents, how long, how fast."""

import math
import os
from dataclasses import dataclass

__all__ = ["Plan", "Slice"]

# A person at work, and an agent that works like one, does something worth telling about once a
# minute.
_THINK_TIME_S = 60.0
# The mix costs about 5 ms of a core per operation, measured on two busy cores without PostgreSQL's
# part: this uses somewhat more than half of the machine. More has to be asked for.
_PER_CORE = 100.0
# As many points as a plot can show; a longer simulation gets wider ones, not more of them.
_MAX_INTERVALS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One simulation. Plain values: the same plan draws the same actions."""

    run: str
    """Names this run in the source of its memories."""
    agents: int
    duration_s: float
    rate: float
    """Operations per second of all agents together."""
    tasks: int
    seed: int

    @staticmethod
    def rate_for(agents: int) -> float:
        """Return an action per agent and minute, within what this machine does with ease."""
        return min(agents / _THINK_TIME_S, _PER_CORE * (os.cpu_count() or 1))

    @property
    def interval_s(self) -> float:
        """The width of one point in time, in whole seconds."""
        return max(1.0, math.ceil(self.duration_s / _MAX_INTERVALS))

    @property
    def source(self) -> str:
        """The source of every memory of this run."""
        return f"simulation/{self.run}"

    def slices(self) -> "list[Slice]":
        """Return the parts that the tasks drive; no more of them than agents."""
        count = min(self.tasks, self.agents)
        return [Slice(self, index, count) for index in range(count)]


@dataclass(frozen=True, slots=True)
class Slice:
    """Every `count`-th agent from the `index`-th on, and their share of the operations."""

    plan: Plan
    index: int
    count: int

    @property
    def size(self) -> int:
        """How many agents this is."""
        return len(range(self.index, self.plan.agents, self.count))

    @property
    def rate(self) -> float:
        """Operations per second of these agents together."""
        return self.plan.rate * self.size / self.plan.agents

    def agent(self, position: int) -> int:
        """Return the number of the slice's agent at this position."""
        return self.index + position * self.count
