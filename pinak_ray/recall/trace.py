"""The trace: what each signal said of a hit, and how long each step took."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from pinak_ray.recall.fusion import Scores, ranks
from pinak_ray.records.recall import Signal

__all__ = ["Stopwatch", "signals_of"]


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


def signals_of(signals: Mapping[str, Scores], chosen: list[int]) -> list[tuple[Signal, ...]]:
    """Return every signal's raw score and rank, among all candidates, for the chosen positions."""
    by_name = {name: (scores, ranks(scores)) for name, scores in signals.items()}
    return [
        tuple(_signal(name, scores, placed, at) for name, (scores, placed) in by_name.items())
        for at in chosen
    ]


def _signal(name: str, scores: Scores, placed: npt.NDArray[np.int64], at: int) -> Signal:
    if math.isnan(scores[at]):
        return Signal(name, None, None)
    return Signal(name, float(scores[at]), int(placed[at]))
