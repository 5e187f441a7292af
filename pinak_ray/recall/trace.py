"""The trace: what each signal said of a hit, and how long each step took."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pinak_ray.recall.fusion import ranks
from pinak_ray.recall.recipes import Fusion, Recipe
from pinak_ray.recall.scoring import Scored
from pinak_ray.records.memory.recall import RecallResult, Signal, Trace

__all__ = ["Stopwatch", "signals_of", "timed", "trace_of"]


class Stopwatch:
    """Milliseconds by step, wall clock."""

    __slots__ = ("timings_ms",)

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the enclosed block as `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings_ms[name] = (time.perf_counter() - start) * 1000


def trace_of(
    recipe: Recipe,
    scored: Scored,
    counts: dict[str, int],
    *,
    fused: int,
    kept: int,
    floor: float | None,
) -> Trace:
    """Return the trace of a ranking, without its times."""
    rrf_k = recipe.rrf_k if recipe.fusion is Fusion.RRF else None
    weights = dict(scored.weights)
    return Trace(recipe.name, scored.fusion, weights, counts, fused, kept, floor, {}, rrf_k)


def signals_of(scored: Scored, chosen: Sequence[int]) -> list[tuple[Signal, ...]]:
    """Return every signal, ranked among all candidates, for each of the chosen positions."""
    values, contributions = scored.values, scored.contributions()
    ranked = {name: ranks(scores) for name, scores in values.items()}

    def signal(name: str, at: int) -> Signal:
        known = not math.isnan(values[name][at])
        return Signal(
            name,
            float(values[name][at]) if known else None,
            int(ranked[name][at]) if known else None,
            scored.weights[name],
            float(contributions[name][at]),
        )

    return [tuple(signal(name, at) for name in scored.weights) for at in chosen]


def timed(result: RecallResult, watch: Stopwatch) -> RecallResult:
    """Return the result with the watch's times in its trace, if it has one."""
    if result.trace is None:
        return result
    return replace(result, trace=replace(result.trace, timings_ms=watch.timings_ms))
