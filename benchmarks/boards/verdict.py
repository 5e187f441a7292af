"""What watchers saw, beside what was acknowledged: missed, out of order, twice, and how late."""

from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from benchmarks.report import percentile

__all__ = ["Seen", "Verdict", "judge", "latencies_ms", "recovery_s"]


@dataclass(slots=True)
class Seen:
    """One watcher's deliveries in the order they came: a column a fact, since there are many."""

    posts: "array[int]" = field(default_factory=lambda: array("q"))
    """Which post it was."""
    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    posted: "array[float]" = field(default_factory=lambda: array("d"))
    """When the post was called, in seconds of this machine's monotonic clock."""
    arrived: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, post: int, seq: int, posted: float, arrived: float) -> None:
        """Note one delivery."""
        self.posts.append(post)
        self.seqs.append(seq)
        self.posted.append(posted)
        self.arrived.append(arrived)


class Verdict(NamedTuple):
    """Sums over all watchers."""

    deliveries: int = 0
    missed: int = 0
    """Acknowledged posts that a watcher never had."""
    out_of_order: int = 0
    """Deliveries whose `seq` is not above that of the one before."""
    duplicated: int = 0
    """Deliveries of a post that the watcher had already, under whichever `seq`."""


def judge(acknowledged: Collection[int], watchers: Sequence[Seen]) -> Verdict:
    """Return the verdict on watchers that each should have had every acknowledged post."""
    wanted = set(acknowledged)
    verdicts = [
        Verdict(
            len(seen.posts),
            len(wanted.difference(seen.posts)),
            sum(later <= earlier for earlier, later in pairwise(seen.seqs)),
            len(seen.posts) - len(set(seen.posts)),
        )
        for seen in watchers
    ]
    return Verdict(*map(sum, zip(Verdict(), *verdicts, strict=True)))


def latencies_ms(watchers: Sequence[Seen]) -> dict[str, float]:
    """Return the percentiles from the call of a post until a watcher had its entry."""
    waits = [
        (arrived - posted) * 1000
        for seen in watchers
        for posted, arrived in zip(seen.posted, seen.arrived, strict=True)
    ]
    return {"watch_p50_ms": percentile(waits, 0.5), "watch_p95_ms": percentile(waits, 0.95)}


def recovery_s(killed_at: float, watchers: Sequence[Seen]) -> float | None:
    """Return the seconds until every watcher had an entry whose post began after the kill.

    None if one of them never had any.
    """
    first = [
        min(
            (
                arrived
                for posted, arrived in zip(seen.posted, seen.arrived, strict=True)
                if posted > killed_at
            ),
            default=None,
        )
        for seen in watchers
    ]
    back = [at - killed_at for at in first if at is not None]
    return max(back, default=None) if len(back) == len(first) else None
