"""Durable writes per second, each agent awaiting its own receipt, beside raw COPY.

    python -m benchmarks.write --agents 32,512 --seconds 10 --json

Ours: agents are coroutines in Ray tasks, and `await agent.remember(...)` takes the batched Ray
lane. The reference: asyncpg alone, four connections, COPY of 256 rows at a time, the same rows into
the same table (with its indexes and its trigger) in the same run; the faster of asyncpg's own
record encoder and rows that were encoded beforehand counts.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
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
from benchmarks.searchable import searchable_part
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.memory.memories import Memory, content_hash, new_memory
from pinak_ray.store.memories.columns import COLUMNS
from pinak_ray.store.memories.copy_format import stream
from pinak_ray.store.memories.memories import encode_memory

_VOCABULARY = 20_000
_RAW_WRITERS = 4
_RAW_BATCH = 256


def texts(count: int, seed: int) -> list[str]:
    """Return texts of 12 to 60 words with a Zipf-like vocabulary, about 230 bytes each."""
    source = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = ["".join(source.choices(syllables, k=source.randint(2, 4))) for _ in range(_VOCABULARY)]
    weights = [1 / (rank + 10) for rank in range(_VOCABULARY)]
    return [
        " ".join(source.choices(words, weights=weights, k=source.randint(12, 60)))
        for _ in range(count)
    ]


@ray.remote(num_cpus=0)
def run_agents(
    swarm: pinak_ray.Swarm, names: Sequence[str], contents: Sequence[str], seconds: float
) -> tuple[int, float, list[float]]:
    """Run these agents for a while; return writes, seconds and each write's latency in ms."""

    async def agent(name: str, deadline: float, latencies: list[float]) -> None:
        handle = swarm.agent(name)
        offset = hash(name)
        number = 0
        while (before := time.perf_counter()) < deadline:
            content = contents[(offset + number) % len(contents)]
            await handle.remember(content, layer="episodic")
            latencies.append((time.perf_counter() - before) * 1000)
            number += 1

    async def all_agents() -> tuple[int, float, list[float]]:
        latencies: list[float] = []
        start = time.perf_counter()
        await asyncio.gather(*(agent(name, start + seconds, latencies) for name in names))
        return len(latencies), time.perf_counter() - start, latencies

    return asyncio.run(all_agents())


def ours(swarm: pinak_ray.Swarm, agents: int, tasks: int, seconds: float) -> dict[str, float]:
    """Return writes/s and latencies of `agents` agents spread over `tasks` Ray tasks."""
    contents = texts(2_000, seed=agents)
    names = [f"agent-{i:05d}" for i in range(agents)]
    results = ray.get(
        [run_agents.remote(swarm, names[i::tasks], contents, seconds) for i in range(tasks)],
        timeout=seconds * 5 + 120,
    )
    latencies = [ms for _, _, each in results for ms in each]
    return {
        "per_s": sum(count / elapsed for count, elapsed, _ in results),
        "p50_ms": percentile(latencies, 0.5),
        "p95_ms": percentile(latencies, 0.95),
    }


def _record(memory: Memory) -> tuple[Any, ...]:
    return (
        memory.namespace_id, memory.id, memory.agent, memory.layer.value, memory.content,
        memory.session, memory.details.decode(), list(memory.tags), list(memory.entities),
        memory.outcome, memory.salience, memory.occurred_at, memory.created_at, memory.expires_at,
        memory.source, None, content_hash(memory.content.encode()), None, None,
    )  # fmt: skip


async def raw_copy(dsn: str, namespace_id: int, seconds: float, *, encoded: bool) -> float:
    """Return rows/s of bare COPY, four connections, 256 rows a statement."""
    per_writer = int(seconds * 20_000 / _RAW_BATCH) + 1
    contents = texts(2_000, seed=1)

    async def writer(index: int, deadline: float) -> int:
        connection = await asyncpg.connect(dsn, server_settings={"search_path": "pinak, public"})
        done = 0
        try:
            for batch in batches[index]:
                if time.perf_counter() >= deadline:
                    break
                if encoded:
                    await connection.copy_to_table(
                        "memories", source=stream(batch), columns=COLUMNS, format="binary"
                    )
                else:
                    await connection.copy_records_to_table(
                        "memories", records=batch, columns=COLUMNS
                    )
                done += len(batch)
        finally:
            await connection.close()
        return done

    def batch() -> list[Any]:
        memories = (
            new_memory(namespace_id, "raw", random.choice(contents), layer="episodic")
            for _ in range(_RAW_BATCH)
        )
        return [encode_memory(m).row if encoded else _record(m) for m in memories]

    batches = [[batch() for _ in range(per_writer // 2)] for _ in range(_RAW_WRITERS)]
    start = time.perf_counter()
    done = await asyncio.gather(*(writer(index, start + seconds) for index in range(_RAW_WRITERS)))
    return sum(done) / (time.perf_counter() - start)


@ray.remote(num_cpus=0)
def run_raw(dsn: str, namespace_id: int, seconds: float, encoded: bool) -> float:
    """Run the reference in a process of its own, as the agents have."""
    return asyncio.run(raw_copy(dsn, namespace_id, seconds, encoded=encoded))


def main() -> None:
    """Measure and print."""
    options = parser("write", __doc__ or "")
    options.add_argument("--agents", default="32,512", help="agent counts, comma-separated")
    options.add_argument("--seconds", type=float, default=10.0, help="seconds a measurement")
    options.add_argument("--tasks", type=int, default=4, help="Ray tasks that hold the agents")
    options.add_argument("--no-searchable", action="store_true", help="skip the embedding part")
    given = options.parse_args()
    counts = [int(count) for count in given.agents.split(",")]
    where = machine()
    with fresh_stack() as settings:
        swarm = pinak_ray.connect(home=settings.home, project="bench")
        report = measure(settings, swarm, counts, given)
    print_report({**report, "machine": where})


def measure(
    settings: Settings, swarm: pinak_ray.Swarm, counts: Sequence[int], given: Any
) -> dict[str, Any]:
    """Return the report's figures: rounds of each agent count and of the reference, interleaved."""
    dsn = EmbeddedPostgres(settings.home / "postgres").dsn
    seconds = given.seconds
    rounds: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    raw: dict[bool, list[float]] = {True: [], False: []}
    for number in range(given.rounds):
        for encoded in (True, False):
            rate = ray.get(run_raw.remote(dsn, swarm.namespace_id, seconds, encoded))
            raw[encoded].append(rate)
            progress(f"round {number + 1}: raw COPY, encoded={encoded}: {rate:,.0f}/s")
        for count in counts:
            figures = ours(swarm, count, min(given.tasks, count), seconds)
            rounds[count].append(figures)
            shown = ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())
            progress(f"round {number + 1}: {count} agents: {shown}")
    by_agents = {
        str(count): {
            name: round(statistics.median(r[name] for r in rounds[count]), 2)
            for name in ("per_s", "p50_ms", "p95_ms")
        }
        for count in counts
    }
    largest = max(counts)
    rates = [figures["per_s"] for figures in rounds[largest]]
    reference = max(statistics.median(each) for each in raw.values())
    report: dict[str, Any] = {
        "name": "write",
        "unit": "durable memories/s",
        "ours": by_agents[str(largest)]["per_s"],
        "reference": round(reference, 1),
        "reference_is": "raw asyncpg COPY, 4 writers x 256 rows, same rows, same table",
        "ratio": round(statistics.median(rates) / reference, 3),
        "rounds": given.rounds,
        "spread": round(spread(rates), 3),
        "by_agents": by_agents,
        "raw": {
            "encoded_beforehand": round(statistics.median(raw[True]), 1),
            "asyncpg_records": round(statistics.median(raw[False]), 1),
            "spread": round(spread(max(raw.values(), key=statistics.median)), 3),
        },
    }
    if given.no_searchable:
        return report
    return report | searchable_part(settings, swarm, seconds, given.rounds)


if __name__ == "__main__":
    main()
