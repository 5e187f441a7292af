"""Plots over time, as inline SVG with a table of the same values.

Lines are drawn on a logarithmic scale, for what spans decades; areas are stacked, for parts of a
whole.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pinak_ray.cli.simulation.report.markup import element

__all__ = ["Plot", "Series"]

_WIDTH, _HEIGHT = 480.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 18.0, 8.0, 30.0
_MAX_ROWS = 60
"""A table with more rows than this is not read; it shows every n-th."""
_CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its values at the plot's times; None leaves a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One picture: what it shows, and how its values are written."""

    title: str
    caption: str
    times: Sequence[float]
    """Seconds from the beginning."""
    series: Sequence[Series]
    write: Callable[[float], str]
    stacked: bool = False

    def figure(self) -> Element:
        """Return the picture with its legend, and its values for those who cannot see it."""
        return element(
            "figure",
            element("h3", self.title),
            self._svg(),
            element("ul", *map(_key, range(len(self.series)), self.series), class_="legend"),
            element("figcaption", self.caption),
            element("details", element("summary", "Values"), self._table()),
            class_="stacked" if self.stacked else "lines",
        )

    def _svg(self) -> Element:
        frame = _Frame(self)
        lines = self._areas(frame) if self.stacked else self._lines(frame)
        return element(
            "svg",
            element("title", self.title),
            element("desc", f"{self.caption} The values are in the table below."),
            *frame.axes(self.write),
            *lines,
            viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
            role="img",
            aria_label=f"{self.title}. {self.caption}",
        )

    def _lines(self, frame: "_Frame") -> list[Element]:
        return [
            element("path", d=frame.line(one.values), class_=f"line s{index}")
            for index, one in enumerate(self.series)
        ]

    def _areas(self, frame: "_Frame") -> list[Element]:
        """Draw each series on top of those before it."""
        floor = [0.0] * len(self.times)
        areas = []
        for index, one in enumerate(self.series):
            ceiling = [low + (value or 0.0) for low, value in zip(floor, one.values, strict=True)]
            areas.append(element("path", d=frame.area(floor, ceiling), class_=f"area s{index}"))
            floor = ceiling
        return areas

    def _table(self) -> Element:
        step = math.ceil(len(self.times) / _MAX_ROWS) or 1
        rows = [
            element(
                "tr",
                element("th", clock(self.times[at]), scope="row"),
                *(element("td", self._written(one.values[at])) for one in self.series),
            )
            for at in range(0, len(self.times), step)
        ]
        names = [element("th", name, scope="col") for name in ("time", *self._names())]
        return element(
            "div",
            element(
                "table",
                element(
                    "caption", f"{self.title}, every {step}. point" if step > 1 else self.title
                ),
                element("thead", element("tr", *names)),
                element("tbody", *rows),
            ),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label=f"Values of {self.title}",
        )

    def _names(self) -> list[str]:
        return [one.name for one in self.series]

    def _written(self, value: float | None) -> str:
        return "–" if value is None else self.write(value)


class _Frame:
    """The plot's coordinates: seconds and values to points of the picture."""

    def __init__(self, plot: Plot) -> None:
        self._log = not plot.stacked
        self._times = plot.times
        self._end = max(plot.times, default=0.0) or 1.0
        self._low, self._high = _decades(plot) if self._log else (0.0, _tallest(plot) * 1.05)

    def x(self, seconds: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * seconds / self._end

    def y(self, value: float) -> float:
        if self._log:
            span = math.log10(self._high / self._low)
            share = math.log10(max(value, self._low) / self._low) / span
        else:
            share = value / self._high
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share

    def line(self, values: Sequence[float | None]) -> str:
        """Return a path through the values; after a gap it begins anew."""
        steps, drawing = [], False
        for seconds, value in zip(self._times, values, strict=True):
            if value is not None:
                steps.append(f"{'L' if drawing else 'M'}{self._point(seconds, value)}")
                if not drawing:  # a lone value is a dot: a line without length has round ends
                    steps.append("h0")
            drawing = value is not None
        return "".join(steps)

    def area(self, floor: Sequence[float], ceiling: Sequence[float]) -> str:
        """Return the outline between two lines."""
        there = [self._point(*one) for one in zip(self._times, ceiling, strict=True)]
        back = [self._point(*one) for one in zip(self._times, floor, strict=True)]
        corners = [*there, *reversed(back)]
        return f"M{'L'.join(corners)}Z" if corners else ""

    def _point(self, seconds: float, value: float) -> str:
        return f"{self.x(seconds):.1f} {self.y(value):.1f}"

    def axes(self, write: Callable[[float], str]) -> list[Element]:
        """Return the grid with its labels."""
        parts = []
        for value in self._values():
            y = self.y(value)
            parts.append(
                element("path", d=f"M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}", class_="grid")
            )
            label = element("text", write(value), x=_LEFT - 8, y=y + 4, class_="y")
            parts.append(label)
        for seconds in clock_ticks(self._end):
            at = {"x": self.x(seconds), "y": _HEIGHT - _BOTTOM + 20}
            parts.append(element("text", clock(seconds), **at, class_="x"))
        return parts

    def _values(self) -> list[float]:
        if not self._log:
            return ticks(self._high)
        first, last = round(math.log10(self._low)), round(math.log10(self._high))
        return [10.0**power for power in range(first, last + 1)]


def _tallest(plot: Plot) -> float:
    columns = zip(*(one.values for one in plot.series), strict=True)
    return max((sum(value or 0.0 for value in column) for column in columns), default=0.0) or 1.0


def _decades(plot: Plot) -> tuple[float, float]:
    """Return the powers of ten that all values lie between."""
    positive = [value for one in plot.series for value in one.values if value] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(positive)))
    return low, max(10.0 ** math.ceil(math.log10(max(positive))), low * 10)


def ticks(highest: float) -> list[float]:
    """Return about five round numbers from 0 to `highest`."""
    rough = highest / 5
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= rough)
    return [step * index for index in range(int(highest / step + 1e-9) + 1)]


def clock_ticks(end: float) -> list[float]:
    """Return a handful of round times from 0 to `end`, in seconds."""
    few = (step for step in _CLOCK_STEPS if end / step <= 6)
    step = next(few, 86_400 * math.ceil(end / 86_400 / 6))
    return [float(at) for at in range(0, int(end) + 1, step)]


def clock(seconds: float) -> str:
    """Return a time since the beginning, as `1:05` or `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _key(index: int, series: Series) -> Element:
    mark = element("path", d="M1 6H23", class_=f"line s{index}")
    swatch = element("svg", mark, viewBox="0 0 24 12", aria_hidden="true")
    return element("li", swatch, series.name)
