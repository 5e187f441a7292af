"""Searchable memories per second, sustained, beside the batched embedder alone.

    python -m benchmarks.searchable --seconds 10 --json

Ours: 512 agents that each await `ack="searchable"` and at once write again, so that a backlog
stands all the time; after a warm-up the receipts inside a window are counted. The reference: the
embedder alone in a process of its own, lists of 256 of the same texts, at the faster of its two
settings (all cores on one batch, or a batch a core), the stack idle beside it. Rounds alternate.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import asyncpg
import ray

import pinak_ray
from benchmarks.report import (
    fresh_stack,
    machine,
    parser,
    percentile,
    print_report,
    progress,
    spread,
)
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import Embedder, EmbedderSpec, load_embedder

_AGENTS = 512
_LIST = 256
_WARM_UP_S = 3.0
_LONE_WRITES = 30
_PROSE = """
the a to of in and for on with after before because when while not no was is has had will
deployment rollout service database orders table migration index replica queue worker node cluster
request timeout latency memory cache token key user payment invoice customer report release branch
test build pipeline server client network disk backup restore schema column lock transaction retry
error failure warning alert metric log trace dashboard agent task plan step decision review change
failed blocked restarted finished started checked found fixed moved removed added raised lowered
slow fast new old first second last large small empty broken stale green red production staging
"""
_WORDS = _PROSE.split()


def sentences(count: int, seed: int) -> list[str]:
    """Return English-like sentences of 10 to 35 words, about 28 tokens each, as agents write."""
    source = random.Random(seed)
    weights = [1 / (rank + 5) for rank in range(len(_WORDS))]
    return [
        f"{' '.join(source.choices(_WORDS, weights=weights, k=source.randint(10, 35)))} {number}."
        for number in range(count)
    ]


async def _rate(work: Callable[[float], Awaitable[int]], seconds: float) -> float:
    start = time.perf_counter()
    return await work(start + seconds) / (time.perf_counter() - start)


async def _embed_alone(embedder: Embedder, seconds: float) -> float:
    contents = sentences(2_000, seed=3)

    async def until(deadline: float) -> int:
        done = 0
        while time.perf_counter() < deadline:
            start = done % (len(contents) - _LIST)
            await embedder.embed(contents[start : start + _LIST])
            done += _LIST
        return done

    await embedder.embed(contents[:_LIST])
    return await _rate(until, seconds)


@ray.remote(num_cpus=0)
def embedder_alone(spec: EmbedderSpec, seconds: float) -> float:
    """Return texts/s of an embedder by itself, after a warm-up."""
    return asyncio.run(_embed_alone(load_embedder(spec), seconds))


def fastest_alone(spec: EmbedderSpec) -> EmbedderSpec:
    """Return the embedder's faster setting on this machine, by a short trial."""
    settings = [spec, replace(spec, threads=1, workers=os.cpu_count() or 1)]
    rates = [ray.get(embedder_alone.remote(each, 3.0), timeout=120) for each in settings]
    progress(f"embedder alone, all cores on a batch: {rates[0]:,.0f}/s; one each: {rates[1]:,.0f}")
    return settings[rates[1] > rates[0]]


async def searchable(swarm: pinak_ray.Swarm, seconds: float) -> float:
    """Return searchable memories/s inside a window, under agents that await each receipt."""
    contents = sentences(4_000, seed=4)
    opens = time.perf_counter() + _WARM_UP_S
    closes = opens + seconds
    counted = 0

    async def agent(index: int) -> None:
        nonlocal counted
        handle = swarm.agent(f"searcher-{index}")
        number = index * 7
        while time.perf_counter() < closes:
            await handle.remember(contents[number % len(contents)], ack="searchable")
            counted += opens <= time.perf_counter() < closes
            number += 1

    await asyncio.gather(*(agent(index) for index in range(_AGENTS)))
    return counted / seconds


async def lone_writes(swarm: pinak_ray.Swarm) -> list[float]:
    """Return the latency in ms of single `searchable` writes, one after the other."""
    latencies = []
    for content in sentences(_LONE_WRITES, seed=5):
        before = time.perf_counter()
        await swarm.agent("loner").remember(content, ack="searchable")
        latencies.append((time.perf_counter() - before) * 1000)
    return latencies


async def clear_backlog(settings: Settings, swarm: pinak_ray.Swarm) -> None:
    """Forget what is queued, and return when a write is searchable at once."""
    connection = await asyncpg.connect(EmbeddedPostgres(settings.home / "postgres").dsn)
    await connection.execute("TRUNCATE pinak.index_queue")
    await connection.close()
    while max((await lone_writes(swarm))[-5:]) > 1000:
        progress("the indexer is still behind")


def searchable_part(
    settings: Settings, swarm: pinak_ray.Swarm, seconds: float, rounds: int
) -> dict[str, Any]:
    """Return the sustained searchable rate beside the embedder alone, rounds interleaved."""
    progress("clearing the backlog")
    asyncio.run(clear_backlog(settings, swarm))
    spec = fastest_alone(settings.embedder_spec())
    rates: list[float] = []
    alone: list[float] = []
    for number in range(rounds):
        alone.append(ray.get(embedder_alone.remote(spec, seconds), timeout=seconds * 5 + 120))
        rates.append(asyncio.run(searchable(swarm, seconds)))
        progress(
            f"round {number + 1}: searchable {rates[-1]:,.0f}/s, embedder alone {alone[-1]:,.0f}/s"
        )
    ratios = [rate / reference for rate, reference in zip(rates, alone, strict=True)]
    return {
        "searchable_per_s": round(statistics.median(rates), 1),
        "embedder_alone_per_s": round(statistics.median(alone), 1),
        "searchable_ratio": round(statistics.median(ratios), 3),
        "searchable_spread": round(spread(ratios), 3),
        "searchable_reference_is": "the same embedder alone, lists of 256 of the same English-like"
        " sentences (about 28 tokens), at its faster thread setting, the stack idle",
        "searchable_lone_p50_ms": round(percentile(asyncio.run(lone_writes(swarm)), 0.5), 2),
    }


def main() -> None:
    """Measure and print."""
    options = parser("searchable", __doc__ or "")
    options.add_argument("--seconds", type=float, default=10.0, help="seconds a measurement")
    given = options.parse_args()
    where = machine()
    with fresh_stack() as settings:
        swarm = pinak_ray.connect(home=settings.home, project="bench")
        part = searchable_part(settings, swarm, given.seconds, given.rounds)
    print_report({
        "name": "searchable",
        "unit": "searchable memories/s",
        "ours": part["searchable_per_s"],
        "reference": part["embedder_alone_per_s"],
        "reference_is": part["searchable_reference_is"],
        "ratio": part["searchable_ratio"],
        "rounds": given.rounds,
        "spread": part["searchable_spread"],
        **part,
        "machine": where,
    })  # fmt: skip


if __name__ == "__main__":
    main()
