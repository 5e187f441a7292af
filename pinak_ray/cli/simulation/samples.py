"""What was measured, small enough to travel each second: histograms by verb and interval."""

import math
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Cell", "Histogram", "Samples"]

# Bins grow by 4%, so a percentile is at most 2% off; 1 µs to an hour are 562 bins.
_GROWTH = math.log(1.04)
_SMALLEST_MS = 0.001
_LARGEST_MS = 3_600_000.0


@dataclass(slots=True)
class Histogram:
    """Durations in milliseconds, in logarithmic bins; merging loses nothing."""

    bins: Counter[int] = field(default_factory=Counter)
    longest_ms: float = 0.0

    def add(self, value_ms: float) -> None:
        """Count one duration; outside 1 µs to an hour it counts as the nearer end."""
        held = min(max(value_ms, _SMALLEST_MS), _LARGEST_MS)
        self.bins[round(math.log(held / _SMALLEST_MS) / _GROWTH)] += 1
        self.longest_ms = max(self.longest_ms, held)

    def merge(self, other: "Histogram") -> None:
        """Count all that the other has counted."""
        self.bins.update(other.bins)
        self.longest_ms = max(self.longest_ms, other.longest_ms)

    @property
    def count(self) -> int:
        """How many durations were counted."""
        return self.bins.total()

    def percentile(self, percent: float) -> float | None:
        """Return the duration that `percent` of all do not exceed, within 2%; None of none."""
        rank = max(1, math.ceil(self.count * percent / 100))
        passed = 0
        for index in sorted(self.bins):
            passed += self.bins[index]
            if passed >= rank:
                return min(_SMALLEST_MS * math.exp(index * _GROWTH), self.longest_ms)
        return None


@dataclass(slots=True)
class Cell:
    """One verb's operations that were due in one interval."""

    latency: Histogram = field(default_factory=Histogram)
    """From the moment an operation was due, so waiting to be sent counts."""
    service: Histogram = field(default_factory=Histogram)
    """From the moment it was sent."""
    errors: Counter[str] = field(default_factory=Counter)
    """By code; what failed is in neither histogram."""

    def merge(self, other: "Cell") -> None:
        """Take over all that the other has measured."""
        self.latency.merge(other.latency)
        self.service.merge(other.service)
        self.errors.update(other.errors)


@dataclass(slots=True)
class Samples:
    """All measurements of a stretch of time; as many cells as intervals and verbs, not more."""

    cells: dict[tuple[int, str], Cell] = field(default_factory=dict)
    """By the interval in which an operation was due, and its verb."""
    lag: dict[int, Histogram] = field(default_factory=dict)
    """By interval: how late operations were sent."""
    unsent: int = 0
    """Due before the end, but the machine was too far behind to send them."""
    nudged: int = 0
    """Intents that met a nudge."""

    def cell(self, interval: int, verb: str) -> Cell:
        """Return the cell, made on first use."""
        return self.cells.setdefault((interval, verb), Cell())

    def add_lag(self, interval: int, late_ms: float) -> None:
        """Count one operation that was sent this late."""
        self.lag.setdefault(interval, Histogram()).add(late_ms)

    def merge(self, other: "Samples") -> None:
        """Take over all that the other has measured."""
        for key, cell in other.cells.items():
            self.cell(*key).merge(cell)
        for interval, lag in other.lag.items():
            self.lag.setdefault(interval, Histogram()).merge(lag)
        self.unsent += other.unsent
        self.nudged += other.nudged

    def of_verb(self, verb: str) -> Cell:
        """Return one verb's operations of all intervals."""
        return _sum([cell for (_, name), cell in self.cells.items() if name == verb])

    def of_interval(self, interval: int) -> Cell:
        """Return all verbs' operations of one interval."""
        return _sum([cell for (index, _), cell in self.cells.items() if index == interval])

    def all_verbs(self) -> Cell:
        """Return all operations."""
        return _sum(list(self.cells.values()))

    def all_lag(self) -> Histogram:
        """Return how late all operations were sent."""
        total = Histogram()
        for lag in self.lag.values():
            total.merge(lag)
        return total


def _sum(cells: list[Cell]) -> Cell:
    total = Cell()
    for cell in cells:
        total.merge(cell)
    return total
