"""Retrieval quality and latency of each recipe, through the running stack.

    python -m benchmarks.recall --data ../shared/data/locomo/locomo_dev.json --json

Every entry is remembered by an agent of its speaker's name and every query recalled over Ray, as a
user's calls would go. `ours` and `reference` are R@10 of the default recipe and of the better one
of `rrf` and `dense` (the embedding model alone). `tasks` has the figures of each task of the data:
ProactiveMemBench asks for the planted facts themselves ("units") and for the turns that say them.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pinak_ray
from benchmarks.datasets import Corpus, load_corpora
from benchmarks.report import (
    fresh_stack,
    machine,
    parser,
    percentile,
    print_report,
    progress,
)
from benchmarks.retrieval_metrics import hit_at, mean, ndcg_at, recall_at, reciprocal_rank
from benchmarks.search.loading import settled
from pinak_ray.cluster.settings import Settings
from pinak_ray.recall.recipes import RECIPES

_K = 20
_WARM_UP = 20


async def remember_all(swarm: pinak_ray.Swarm, corpus: Corpus) -> dict[UUID, str]:
    """Store the corpus, wait until it is searchable, and return each memory's key by its id."""
    receipts = await asyncio.gather(
        *(
            swarm.agent(entry.agent).remember(
                entry.content,
                layer="episodic",
                session=entry.session,
                occurred_at=entry.occurred_at,
                ack="searchable",
            )
            for entry in corpus.entries
        )
    )
    return {receipt.id: entry.key for receipt, entry in zip(receipts, corpus.entries, strict=True)}


async def ask_all(
    swarm: pinak_ray.Swarm, corpus: Corpus, recipe: str, keys: dict[UUID, str]
) -> list[dict[str, float]]:
    """Ask every query, one after the other, and return its scores and its milliseconds."""
    reader = swarm.agent("benchmark")
    for query in corpus.queries[:_WARM_UP]:
        await reader.recall(query.text, k=_K, recipe=recipe)
    rows = []
    for query in corpus.queries:
        before = time.perf_counter()
        result = await reader.recall(query.text, k=_K, recipe=recipe)
        elapsed = (time.perf_counter() - before) * 1000
        ranked = [keys[hit.id] for hit in result.hits]
        rows.append(
            {
                "r5": recall_at(5, ranked, query.relevant),
                "r10": recall_at(10, ranked, query.relevant),
                "r20": recall_at(20, ranked, query.relevant),
                "hit5": hit_at(5, ranked, query.relevant),
                "ndcg10": ndcg_at(10, ranked, query.relevant),
                "mrr": reciprocal_rank(ranked, query.relevant),
                "ms": elapsed,
            }
        )
    return rows


def summary(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the means of the scores and the percentiles of the latency."""
    scores = {name: round(mean(row[name] for row in rows), 4) for name in rows[0] if name != "ms"}
    latencies = [row["ms"] for row in rows]
    return {
        **scores,
        "p50_ms": round(percentile(latencies, 0.5), 2),
        "p95_ms": round(percentile(latencies, 0.95), 2),
    }


async def measure(settings: Settings, path: Path, recipes: Sequence[str]) -> dict[str, Any]:
    """Return every recipe's figures over all corpora, by task, and of each corpus apart."""
    rows: dict[str, list[dict[str, float]]] = {recipe: [] for recipe in recipes}
    by_task: dict[str, dict[str, list[dict[str, float]]]] = {}
    corpora: dict[str, Any] = {}
    for corpus in load_corpora(path):
        swarm = pinak_ray.connect(home=settings.home, project=f"recall-{corpus.namespace}")
        progress(f"{corpus.namespace}: remembering {len(corpus.entries)} entries")
        keys = await remember_all(swarm, corpus)
        await settled(settings)
        progress(f"{corpus.namespace}: asking {len(corpus.queries)} queries")
        own = {recipe: await ask_all(swarm, corpus, recipe, keys) for recipe in recipes}
        of_task = by_task.setdefault(corpus.task, {recipe: [] for recipe in recipes})
        for recipe in recipes:
            rows[recipe] += own[recipe]
            of_task[recipe] += own[recipe]
        corpora[corpus.namespace] = {
            "entries": len(corpus.entries),
            "queries": len(corpus.queries),
            "r10": round(mean(row["r10"] for row in own[recipes[0]]), 4),
            "ndcg10": round(mean(row["ndcg10"] for row in own[recipes[0]]), 4),
        }
    tasks = {
        task: {recipe: summary(rows[recipe]) for recipe in recipes}
        for task, rows in by_task.items()
    }
    return {
        "recipes": {name: summary(rows[name]) for name in recipes},
        "tasks": tasks,
        "corpora": corpora,
    }


def main() -> None:
    """Measure and print."""
    options = parser("recall", __doc__ or "")
    options.add_argument("--data", type=Path, required=True, help="a data set's file or folder")
    options.add_argument("--recipes", default=",".join(RECIPES), help="comma-separated")
    given = options.parse_args()
    recipes = given.recipes.split(",")
    where = machine()
    with fresh_stack(cache=False) as settings:  # each recall is to be searched for
        figures = asyncio.run(measure(settings, given.data, recipes))
    scores = {name: values["r10"] for name, values in figures["recipes"].items()}
    reference = max((scores[name] for name in ("rrf", "dense") if name in scores), default=0.0)
    print_report(
        {
            "name": "recall",
            "unit": "R@10 of the default recipe",
            "ours": scores[recipes[0]],
            "reference": reference,
            "reference_is": "the better of `rrf` and `dense` (the embedding model alone)",
            "ratio": round(scores[recipes[0]] / reference, 3) if reference else None,
            "rounds": 1,
            "spread": 0.0,
            **figures,
            "machine": where,
        }
    )


if __name__ == "__main__":
    main()
