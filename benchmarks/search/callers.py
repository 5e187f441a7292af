"""Callers who ask again as soon as they are answered, and what they saw."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from benchmarks.report import percentile

__all__ = ["Ask", "Seen", "Tally", "call", "medians"]

Ask: TypeAlias = Callable[[str], Awaitable[int]]
"""Asks one question and returns how many memories came back."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One measurement: p50 and p95 in ms, answers a second, and the fewest memories in one.

    And ms of processor an answer, of this process and the whole stack.
    """

    p50_ms: float
    p95_ms: float
    qps: float
    fewest: int
    processor_ms: float = 0.0


@dataclass(slots=True)
class Tally:
    """What was seen so far, of one way to ask: ms and memories of each answer, and the time.

    `processor` is the seconds of processor by part.
    """

    latencies: list[float] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    seconds: float = 0.0
    processor: Counter[str] = field(default_factory=Counter)

    def seen(self) -> Seen:
        """Return the figures."""
        return Seen(
            percentile(self.latencies, 0.5),
            percentile(self.latencies, 0.95),
            len(self.found) / self.seconds,
            min(self.found),
            1000 * sum(self.processor.values()) / len(self.found),
        )


async def call(
    ask: Ask, queries: Iterator[str], tally: Tally, *, callers: int, count: int, seconds: float
) -> None:
    """Let callers ask `count` questions together, or as many as are answered in `seconds`."""
    start = time.perf_counter()
    asked = 0

    async def caller() -> None:
        nonlocal asked
        while asked < count:
            before = time.perf_counter()
            if asked and before - start > seconds:
                return
            asked += 1
            tally.found.append(await ask(next(queries)))
            tally.latencies.append((time.perf_counter() - before) * 1000)

    await asyncio.gather(*(caller() for _ in range(callers)))
    tally.seconds += time.perf_counter() - start


def medians(rounds: Sequence[Seen]) -> dict[str, float]:
    """Return each figure's median over the rounds."""
    return {
        name: round(statistics.median(getattr(seen, name) for seen in rounds), 2)
        for name in ("p50_ms", "p95_ms", "qps", "processor_ms")
    }
