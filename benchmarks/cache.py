"""What the cache of recall saves.

    python -m benchmarks.cache --data ../shared/data/locomo/locomo_dev.json --json

`ours` and `reference` are recalls a second of a repeated load (Zipf over the data's queries, each
asked as a gateway would ask it, in process) with and without the cache, which is cold at the start.
`paraphrased` is the same load with every query in other words but those asked for the first time:
a near answer is one that was given to the same question in another form. `pairs` are questions
that differ in one thing, by its kind, and `wrong` those of them that shared an answer: none may.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pinak_ray
from benchmarks.cache_load import generated, paraphrased, repeated
from benchmarks.cache_pairs import wrong_answers
from benchmarks.datasets import Corpus, load_corpora
from benchmarks.recall import remember_all
from benchmarks.report import (
    fresh_stack,
    machine,
    parser,
    percentile,
    print_report,
    progress,
    spread,
)
from benchmarks.search.loading import settled
from pinak_ray.cli.local_stack import dsn_of
from pinak_ray.cluster.settings import Settings
from pinak_ray.concurrency.admission import Admission
from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.recall.cache.recaller import CachedRecaller
from pinak_ray.recall.recaller import Recaller
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.memory.recall import new_recall
from pinak_ray.services.serving import load_serving
from pinak_ray.store.database import Database
from pinak_ray.store.namespaces import ensure_namespace
from pinak_ray.store.vectors.generations import Generations

_K = 10
_LOADS = ("repeated", "paraphrased")


@dataclass(frozen=True, slots=True)
class Bench:
    """One namespace with its corpus, and what searches it."""

    corpus: Corpus
    namespace_id: int
    database: Database
    recaller: Recaller

    def cached(self, policy: CachePolicy) -> CachedRecaller:
        """Return a recaller with an empty cache."""
        admission = Admission("the benchmark", at_once=8)
        return CachedRecaller(self.recaller, Generations(self.database), policy, admission)


@asynccontextmanager
async def searching(settings: Settings) -> Any:
    """Yield a database and a recaller as a gateway has them."""
    dsn = dsn_of(settings)
    async with await Database.open(dsn, service_connections=2, reader_connections=4) as database:
        model, embedder = await load_serving(database, settings.stack_config(dsn))
        yield database, Recaller(database, embedder, model.id)
        await embedder.aclose()


def load_of(corpus: Corpus, name: str, count: int, seed: int) -> list[str]:
    """Return the texts of a load; paraphrased, only a query's first time is in its own words."""
    queries, seen = repeated(corpus.queries, count, seed), dict[str, int]()
    texts = []
    for query in queries:
        times = seen[query.text] = seen.get(query.text, -1) + 1
        as_it_is = name == "repeated" or not times
        texts.append(query.text if as_it_is else paraphrased(query.text, times))
    return texts


async def run(bench: Bench, texts: Sequence[str], policy: CachePolicy) -> dict[str, Any]:
    """Ask a load, one query after the other, and return what it took and what the cache did."""
    recaller = bench.cached(policy)
    latencies = []
    start = time.perf_counter()
    for text in texts:
        before = time.perf_counter()
        await recaller.recall(bench.namespace_id, new_recall(text, k=_K))
        latencies.append((time.perf_counter() - before) * 1000)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "ms": latencies, **recaller.figures()}


async def measure_load(
    benches: Sequence[Bench], name: str, count: int, rounds: int, policy: CachePolicy
) -> dict[str, Any]:
    """Return a load's figures with and without the cache, in turns."""
    taken: dict[bool, list[list[dict[str, Any]]]] = {True: [], False: []}
    for number in range(rounds):
        loads = [(bench, load_of(bench.corpus, name, count, number)) for bench in benches]
        for enabled in (number % 2 == 0, number % 2 == 1):
            way = replace(policy, enabled=enabled)
            taken[enabled].append([await run(bench, texts, way) for bench, texts in loads])
        progress(f"{name}: round {number + 1}")

    def per_s(runs: list[dict[str, Any]]) -> float:
        return count * len(runs) / float(sum(run["seconds"] for run in runs))

    def share(figure: str) -> float:
        runs = [run for each in taken[True] for run in each]
        return round(sum(int(run["lookups"][figure]) for run in runs) / (count * len(runs)), 4)

    ratios = [per_s(on) / per_s(off) for on, off in zip(taken[True], taken[False], strict=True)]
    both = {
        title: [ms for runs in taken[enabled] for run in runs for ms in run["ms"]]
        for title, enabled in (("cached", True), ("searched", False))
    }
    return {
        "ours": round(statistics.median(map(per_s, taken[True])), 1),
        "reference": round(statistics.median(map(per_s, taken[False])), 1),
        "ratio": round(statistics.median(ratios), 2),
        "spread": round(spread(ratios), 3),
        "hits_equal": share("equal"),
        "hits_near": share("near"),
        **{f"{title}_p50_ms": round(percentile(ms, 0.5), 2) for title, ms in both.items()},
        **{f"{title}_p95_ms": round(percentile(ms, 0.95), 2) for title, ms in both.items()},
    }


async def measure(
    settings: Settings, corpora: Sequence[Corpus], count: int, rounds: int
) -> dict[str, Any]:
    """Store the corpora, and return all figures."""
    policy = settings.stack_config("").cache
    async with searching(settings) as (database, recaller):
        benches = []
        for corpus in corpora:
            project = f"cache-{corpus.namespace}"
            swarm = pinak_ray.connect(home=settings.home, project=project)
            progress(f"{corpus.namespace}: remembering {len(corpus.entries)} entries")
            await remember_all(swarm, corpus)
            async with database.service() as connection:
                namespace_id = await ensure_namespace(connection, NamespaceKey("default", project))
            benches.append(Bench(corpus, namespace_id, database, recaller))
        await settled(settings)
        return {name: await measure_load(benches, name, count, rounds, policy) for name in _LOADS}


def main() -> None:
    """Measure and print."""
    options = parser("cache", __doc__ or "")
    options.add_argument("--data", type=Path, help="a data set's file or folder; else generated")
    options.add_argument("--count", type=int, default=400, help="recalls of a load, by namespace")
    given = options.parse_args()
    corpora = [generated()] if given.data is None else list(load_corpora(given.data))
    where = machine()
    pairs, wrong = wrong_answers()
    with fresh_stack(window_quiet_s=1.0) as settings:
        figures = asyncio.run(measure(settings, corpora, given.count, given.rounds))
    print_report(
        {
            "name": "cache",
            "unit": "recalls/s of a repeated load",
            "reference_is": "the same recalls without the cache",
            **{key: figures["repeated"][key] for key in ("ours", "reference", "ratio", "spread")},
            "rounds": given.rounds,
            **figures,
            "pairs": dict(pairs),
            "wrong": {kind: wrong[kind] for kind in pairs},
            "machine": where,
        }
    )


if __name__ == "__main__":
    main()
