"""Which plots a result is shown by."""

import math
from collections.abc import Callable, Sequence

from pinak_ray.cli.simulation.hosts import HostReading
from pinak_ray.cli.simulation.report.plot import Plot, Series
from pinak_ray.cli.simulation.report.units import (
    MEBIBYTE,
    count,
    mebibytes,
    milliseconds,
    per_second,
)
from pinak_ray.cli.simulation.result import Result
from pinak_ray.cli.simulation.samples import Cell, Histogram

__all__ = ["pictures"]

_PERCENTS = (50, 95, 99)
# A percentile of a rare verb needs more than a second to mean something.
_POINTS_BY_VERB = 30


def pictures(result: Result) -> list[Plot]:
    """Return the plots in the order in which a reader wants them."""
    return _Pictures(result).all()


class _Pictures:
    def __init__(self, result: Result) -> None:
        self._samples = result.samples
        self._hosts = result.hosts
        self._width = result.plan.interval_s
        # The last interval may be cut short; drawn as a rate it would look like a fall.
        self._whole = range(max(1, int(result.seconds / self._width)))
        self._times = [index * self._width for index in self._whole]
        # A host is read about once a second, so an interval may have no reading of its own.
        self._read = [index for index in sorted(result.hosts.readings) if index in self._whole]
        self._verbs = [name for name in result.rows if name != "all"]

    def all(self) -> list[Plot]:
        errors = [self._errors()] if self._samples.all_verbs().errors else []
        return [
            self._latency(), self._by_verb(), self._rate(), self._lag(), self._memory(),
            self._active(), *errors,
        ]  # fmt: skip

    def _latency(self) -> Plot:
        cells = [self._samples.of_interval(index) for index in self._whole]
        return Plot(
            title="Latency of all verbs",
            caption="From the moment an operation was due to its answer; logarithmic.",
            times=self._times,
            series=_percentiles([cell.latency for cell in cells]),
            write=milliseconds,
        )

    def _by_verb(self) -> Plot:
        size = math.ceil(len(self._whole) / _POINTS_BY_VERB)
        groups = [self._whole[at : at + size] for at in range(0, len(self._whole), size)]
        return Plot(
            title="Latency p95 by verb",
            caption=f"Each point is {size * self._width:.0f} s; logarithmic.",
            times=self._times[::size],
            series=[
                Series(verb, [self._together(verb, group).percentile(95) for group in groups])
                for verb in self._verbs
            ],
            write=milliseconds,
        )

    def _together(self, verb: str, intervals: Sequence[int]) -> Histogram:
        total = Histogram()
        for index in intervals:
            if (cell := self._samples.cells.get((index, verb))) is not None:
                total.merge(cell.latency)
        return total

    def _rate(self) -> Plot:
        return Plot(
            title="Operations per second",
            caption="Answered operations, by the moment they were due, stacked by verb.",
            times=self._times,
            series=self._each_verb(lambda cell: cell.latency.count / self._width),
            write=per_second,
            stacked=True,
        )

    def _lag(self) -> Plot:
        return Plot(
            title="Schedule lag",
            caption="How long after it was due an operation was sent; logarithmic.",
            times=self._times,
            series=_percentiles([self._samples.lag.get(i, Histogram()) for i in self._whole]),
            write=milliseconds,
        )

    def _memory(self) -> Plot:
        return Plot(
            title="Memory of the hosts",
            caption="Resident memory of each AgentHost process, shared pages included.",
            times=[index * self._width for index in self._read],
            series=self._each_host(lambda one: one.rss_bytes / MEBIBYTE),
            write=mebibytes,
            stacked=True,
        )

    def _active(self) -> Plot:
        return Plot(
            title="Active agents and boards",
            caption="How many the hosts hold in memory; the others wait for their next use.",
            times=[index * self._width for index in self._read],
            series=self._each_host(lambda one: float(one.active)),
            write=count,
            stacked=True,
        )

    def _errors(self) -> Plot:
        return Plot(
            title="Errors per second",
            caption="Operations that were refused or not answered, stacked by verb.",
            times=self._times,
            series=self._each_verb(lambda cell: cell.errors.total() / self._width),
            write=per_second,
            stacked=True,
        )

    def _each_verb(self, figure: Callable[[Cell], float]) -> list[Series]:
        nothing, cells = Cell(), self._samples.cells
        return [
            Series(verb, [figure(cells.get((index, verb), nothing)) for index in self._whole])
            for verb in self._verbs
        ]

    def _each_host(self, figure: Callable[[HostReading], float]) -> list[Series]:
        read = [self._hosts.readings[index] for index in self._read]
        return [
            Series(name, [figure(moment[name]) if name in moment else None for moment in read])
            for name in self._hosts.names
        ]


def _percentiles(histograms: list[Histogram]) -> list[Series]:
    return [Series(f"p{p}", [one.percentile(p) for one in histograms]) for p in _PERCENTS]
