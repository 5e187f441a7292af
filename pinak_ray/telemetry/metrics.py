"""Prometheus metrics of one process. No label ever names an agent, a namespace or a key."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

__all__ = ["CONTENT_TYPE", "Metrics", "merge_metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# From an in-memory answer (1 ms) to the deadline of a write (30 s); dense around the 30 ms that
# recall and nudges must keep.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one part of the stack, such as `gateway` or `writer-0`.

    Each has its own registry: two parts in one process, or two tests, do not mix.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "pinak_request_seconds",
            "Time to answer an HTTP request, by route template.",
            ("part", "route", "method", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._operations = Counter(
            "pinak_operations_total",
            "Operations carried out, by verb and by result (ok, or the error's code).",
            ("part", "verb", "result"),
            registry=registry,
        )
        self._depth = Gauge(
            "pinak_queue_depth", "Items that wait, by queue.", ("part", "queue"), registry=registry
        )
        self._delayed = Gauge(
            "pinak_delayed",
            "1 while the database takes nothing of what this part holds, else 0.",
            ("part",),
            registry=registry,
        )
        self._cache = Counter(
            "pinak_cache_lookups_total",
            "Lookups, by cache and result (equal, near, shared or miss).",
            ("part", "cache", "result"),
            registry=registry,
        )
        self._drops = Counter(
            "pinak_cache_drops_total",
            "Entries dropped, by cache and reason (evicted, stale or expired).",
            ("part", "cache", "reason"),
            registry=registry,
        )
        self._entries = Gauge(
            "pinak_cache_entries", "Entries held, by cache.", ("part", "cache"), registry=registry
        )
        self._bytes = Gauge(
            "pinak_cache_bytes", "Bytes held, by cache.", ("part", "cache"), registry=registry
        )
        self._totals: dict[Counter, int] = {}

    def observe_request(self, route: str, *, method: str, status: int, seconds: float) -> None:
        """Record one HTTP request; `route` is the template, never the path that was asked for."""
        self._requests.labels(self.part, route, method, str(status)).observe(seconds)

    def count_operation(self, verb: str, *, result: str = "ok") -> None:
        """Count one operation; `result` is `ok` or the error's code."""
        self._operations.labels(self.part, verb, result).inc()

    def set_queue_depth(self, queue: str, depth: int) -> None:
        """Say how many items wait in a queue now."""
        self._depth.labels(self.part, queue).set(depth)

    def set_delayed(self, *, delayed: bool) -> None:
        """Say whether what waits is held up by the database."""
        self._delayed.labels(self.part).set(delayed)

    def set_cache(self, cache: str, figures: Mapping[str, Any]) -> None:
        """Bring a cache's numbers up to date, given as `CachedRecaller.figures` returns them."""
        for result, total in figures["lookups"].items():
            self._count_to(self._cache.labels(self.part, cache, result), total)
        for reason, total in figures["drops"].items():
            self._count_to(self._drops.labels(self.part, cache, reason), total)
        self._entries.labels(self.part, cache).set(figures["entries"])
        self._bytes.labels(self.part, cache).set(figures["bytes"])

    def _count_to(self, counter: Counter, total: int) -> None:
        """Raise a counter to a total kept elsewhere; one that fell has begun anew."""
        before = self._totals.get(counter, 0)
        counter.inc(total - before if total >= before else total)
        self._totals[counter] = total

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)

    def __repr__(self) -> str:
        return f"<Metrics({self.part})>"


def merge_metrics(texts: Iterable[bytes]) -> bytes:
    """Return several parts' text formats as one, in which each family stands once.

    A scraper refuses a text that opens one family twice, so joining the texts is not enough.
    """
    heads: dict[tuple[bytes, bytes], bytes] = {}  # by family and kind of line
    families: dict[bytes, list[bytes]] = {}
    for text in texts:
        samples = families.setdefault(b"", [])
        for line in text.splitlines():
            if line.startswith((b"# HELP ", b"# TYPE ")):
                _, kind, family, *_ = line.split(b" ", 3)
                heads.setdefault((family, kind), line)
                samples = families.setdefault(family, [])
            elif line and not line.startswith(b"#"):
                samples.append(line)
    lines = [
        line
        for family, samples in families.items()
        for line in (heads.get((family, b"HELP")), heads.get((family, b"TYPE")), *samples)
        if line is not None
    ]
    return b"".join(line + b"\n" for line in lines)
