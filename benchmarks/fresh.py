"""Recall right after a load, beside that of a settled stack.

    python -m benchmarks.fresh --data ../shared/data/locomo/locomo_dev.json --json

All entries are remembered over HTTP by eight callers at once, `durable`, each corpus in a namespace
of its own; as soon as the last receipt is there, one caller asks the corpora in turn for ten
seconds, and again once the Indexer has nothing left to do: the same queries. `ours` and `reference`
are R@10 of the default recipe then and then.

The bars: R@10 >= .97 of the settled one, p95 <= 2x.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pinak_ray
from benchmarks.datasets import Corpus, Query, load_corpora
from benchmarks.nudges import http_swarm
from benchmarks.report import fresh_stack, machine, parser, percentile, print_report, progress
from benchmarks.retrieval_metrics import mean, recall_at
from benchmarks.search.loading import settled, still_waiting
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.ids import NamespaceKey

_K = 10
_CALLERS = 8
_FRESH_S = 10.0
_WARM_UP = 20


class Loaded(NamedTuple):
    """A corpus in a namespace of its own, and its entries' keys by id."""

    corpus: Corpus
    swarm: pinak_ray.Swarm
    keys: dict[UUID, str]


class Asked(NamedTuple):
    """What one recall showed: R@10, its milliseconds, and when it was asked."""

    r10: float
    ms: float
    at_s: float


async def load(loaded: Sequence[Loaded]) -> float:
    """Remember all entries, and return how many seconds that took."""
    waiting = iter(
        [(each, number) for each in loaded for number in range(len(each.corpus.entries))]
    )
    start = time.perf_counter()

    async def caller() -> None:
        for each, number in waiting:
            entry = each.corpus.entries[number]
            receipt = await each.swarm.agent(entry.agent).remember(
                entry.content,
                layer="episodic",
                session=entry.session,
                occurred_at=entry.occurred_at,
                ack="durable",
            )
            each.keys[receipt.id] = entry.key

    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    return time.perf_counter() - start


def in_turn(loaded: Sequence[Loaded]) -> list[tuple[Loaded, Query]]:
    """Return all queries, one of each corpus after the other."""
    lines = [[(each, query) for query in each.corpus.queries] for each in loaded]
    return [pair for turn in itertools.zip_longest(*lines) for pair in turn if pair is not None]


async def ask(
    pairs: Sequence[tuple[Loaded, Query]], *, seconds: float | None = None
) -> list[Asked]:
    """Ask one after the other, all or for so long."""
    seen = []
    start = time.perf_counter()
    for each, query in pairs:
        before = time.perf_counter()
        if seconds is not None and before - start > seconds:
            break
        result = await each.swarm.agent("benchmark").recall(query.text, k=_K)
        now = time.perf_counter()
        ranked = [each.keys[hit.id] for hit in result.hits]
        r10 = recall_at(_K, ranked, query.relevant)
        seen.append(Asked(r10, (now - before) * 1000, now - start))
    return seen


def figures(seen: Sequence[Asked]) -> dict[str, float]:
    """Return the means of these recalls."""
    return {
        "recalls": len(seen),
        "r10": round(mean(each.r10 for each in seen), 4),
        "p50_ms": round(percentile([each.ms for each in seen], 0.5), 2),
        "p95_ms": round(percentile([each.ms for each in seen], 0.95), 2),
    }


async def measure(settings: Settings, path: Path) -> dict[str, Any]:
    """Return the figures of both times."""
    async with AsyncExitStack() as stack:
        loaded = []
        for corpus in load_corpora(path):
            key = NamespaceKey("default", f"fresh-{corpus.namespace}")
            swarm = await stack.enter_async_context(http_swarm(settings, key))
            loaded.append(Loaded(corpus, swarm, {}))
        pairs = in_turn(loaded)
        await ask(pairs[:_WARM_UP])  # of nothing yet: connections and models
        took = await load(loaded)
        fresh = await ask(pairs, seconds=_FRESH_S)
        left = still_waiting(await asyncio.to_thread(health, settings))
        progress(f"{len(fresh)} recalls in {_FRESH_S} s after a load of {took:.1f} s; left: {left}")
        await settled(settings)
        same = pairs[: len(fresh)]
        await ask(same[:_WARM_UP])
        later = await ask(same)
    by_second = [
        figures([each for each in fresh if second <= each.at_s < second + 1])
        for second in range(int(_FRESH_S))
    ]
    return {
        "memories": sum(len(each.corpus.entries) for each in loaded),
        "load_s": round(took, 2),
        "left_after_10_s": left,
        "fresh": figures(fresh),
        "settled": figures(later),
        "fresh_by_second": by_second,
    }


def main() -> None:
    """Measure and print."""
    options: argparse.ArgumentParser = parser("fresh", __doc__ or "")
    options.add_argument("--data", type=Path, required=True, help="a data set's file or folder")
    given = options.parse_args()
    where = machine()
    with fresh_stack(cache=False) as settings:  # each recall is to be searched for
        found = asyncio.run(measure(settings, given.data))
    ours, reference = found["fresh"], found["settled"]
    print_report({
        "name": "fresh",
        "unit": "R@10 of the default recipe in the first ten seconds after a load",
        "ours": ours["r10"],
        "reference": reference["r10"],
        "reference_is": "the same queries once the Indexer has nothing left to do",
        "ratio": round(ours["r10"] / reference["r10"], 3),
        "ratio_p95": round(ours["p95_ms"] / reference["p95_ms"], 3),
        "rounds": 1,
        "spread": 0.0,
        **found,
        "machine": where,
    })  # fmt: skip


if __name__ == "__main__":
    main()
