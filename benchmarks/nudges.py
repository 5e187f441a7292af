"""Nudge quality and latency, over HTTP as a hook would call.

    python -m benchmarks.nudges --data ../shared/data/nudges [--intents FILE] [--crowd N] --json

`precision`: relevant nudges / all nudges. `recall`: risky intents that drew a relevant one.
`false_alarms`: harmless intents that drew any. The reference is the same call without a gate.
`among_a_crowd`: the same among `--crowd` generated failures of other matters (0: leave it out).
"""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pinak_ray
from benchmarks.crowd.failures import failures
from benchmarks.datasets import Intent, NudgeData, load_nudges
from benchmarks.report import (
    fresh_stack,
    machine,
    parser,
    percentile,
    print_report,
    progress,
)
from benchmarks.search.loading import settled
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.keys import KeyRing
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import issue_token

_NAMESPACE = NamespaceKey("default", "nudges-benchmark")
# The study's evidence floor, for the reference: no gate, score >= .45 of the best failure.
_UNGATED_FLOOR = 0.45
_OF_THE_CROWD = "crowd"


def http_swarm(settings: Settings, namespace: NamespaceKey = _NAMESPACE) -> pinak_ray.Swarm:
    """Return a namespace over the stack's gateway."""
    ring = KeyRing.load_or_create(settings.home / "keys")
    scopes = (Scope.READ, Scope.WRITE, Scope.AGENTS)
    token = issue_token(ring.current, "benchmark", namespace=namespace, scopes=scopes)
    return pinak_ray.connect(url=StackFile.read(settings.home).url, token=token)


async def remember_all(
    swarm: pinak_ray.Swarm, data: NudgeData, *, ack: str = "searchable"
) -> dict[UUID, str]:
    """Store failures and neutral memories; return each memory's key by its id."""
    agent = swarm.agent("historian")
    limit = asyncio.Semaphore(32)

    async def one(key: str, text: str, outcome: str | None) -> tuple[UUID, str]:
        async with limit:
            receipt = await agent.remember(text, layer="episodic", outcome=outcome, ack=ack)
        return receipt.id, key

    failed = [one(key, text, "failure") for key, text in data.failures.items()]
    neutral = [one(key, text, None) for key, text in data.neutral.items()]
    return dict(await asyncio.gather(*failed, *neutral))


async def ask(
    swarm: pinak_ray.Swarm, intents: tuple[Intent, ...], keys: dict[UUID, str]
) -> tuple[list[list[str]], list[float]]:
    """Return what each intent drew, and the milliseconds of each call.

    Each has an agent of its own: none has a warning behind it that would silence the next one.
    """
    for intent in intents[:10]:
        await swarm.agent("warm-up").intend(intent.text)
    drawn, latencies = [], []
    for number, intent in enumerate(intents):
        agent = swarm.agent(f"actor-{number}")
        before = time.perf_counter()
        nudges = await agent.intend(intent.text)
        latencies.append((time.perf_counter() - before) * 1000)
        hits = [hit for nudge in nudges for hit in nudge.evidence]
        drawn.append([keys.get(hit.id, _OF_THE_CROWD) for hit in hits])
    return drawn, latencies


async def ungated(
    swarm: pinak_ray.Swarm, intents: tuple[Intent, ...], keys: dict[UUID, str]
) -> list[list[str]]:
    """Return what a search of the failures alone would show, without asking whether it is risky."""
    drawn = []
    for intent in intents:
        result = await swarm.agent("actor").recall(
            intent.text, k=1, recipe="dense", outcome="failure", min_score=_UNGATED_FLOOR
        )
        drawn.append([keys[hit.id] for hit in result.hits])
    return drawn


async def among_many(settings: Settings, data: NudgeData, count: int) -> dict[str, Any]:
    """Return the figures of the same failures and intents among `count` failures of other matters.

    These are loaded over Ray, which is quicker, and asked over HTTP once all are indexed; links are
    made behind that for a quarter of an hour, in a tenth of the Indexer's time.
    """
    namespace = NamespaceKey("default", "many-failures")
    loading = pinak_ray.connect(home=settings.home, project=namespace.project)
    progress(f"remembering {count:,} failures of other matters")
    limit = asyncio.Semaphore(512)

    async def one(number: int, text: str) -> None:
        async with limit:
            await loading.agent(f"historian-{number % 32}").remember(
                text, layer="episodic", outcome="failure"
            )

    await asyncio.gather(*(one(*each) for each in enumerate(failures(count, seed=6))))
    keys = await remember_all(loading, data, ack="durable")
    await settled(settings)
    async with http_swarm(settings, namespace) as swarm:
        drawn, latencies = await ask(swarm, data.intents, keys)
    return {
        "failures": count + len(data.failures),
        **scores(data.intents, drawn),
        "drawn_of_the_crowd": sum(each.count(_OF_THE_CROWD) for each in drawn),
        "p50_ms": round(percentile(latencies, 0.5), 2),
        "p95_ms": round(percentile(latencies, 0.95), 2),
    }


def scores(intents: tuple[Intent, ...], drawn: list[list[str]]) -> dict[str, float]:
    """Return precision, recall and false alarms."""
    emitted = sum(len(each) for each in drawn)
    pairs = list(zip(intents, drawn, strict=True))
    relevant = sum(len(intent.relevant.intersection(each)) for intent, each in pairs)
    risky = [bool(i.relevant.intersection(each)) for i, each in pairs if i.risky]
    harmless = [bool(each) for i, each in pairs if not i.risky]
    hard = [bool(each) for i, each in pairs if not i.risky and i.hard]

    def share(flags: list[bool]) -> float:
        return round(sum(flags) / len(flags), 4) if flags else 0.0

    return {
        "precision": round(relevant / emitted, 4) if emitted else 0.0,
        "recall": share(risky),
        "false_alarms": share(harmless),
        "false_alarms_hard": share(hard),
        "emitted": emitted,
    }


async def measure(settings: Settings, data: NudgeData) -> dict[str, Any]:
    """Return the figures of the gate and of the ungated reference."""
    async with http_swarm(settings) as swarm:
        progress(f"remembering {len(data.failures)} failures")
        keys = await remember_all(swarm, data)
        progress(f"asking {len(data.intents)} intents")
        drawn, latencies = await ask(swarm, data.intents, keys)
        without = await ungated(swarm, data.intents, keys)
    return {
        **scores(data.intents, drawn),
        "p50_ms": round(percentile(latencies, 0.5), 2),
        "p95_ms": round(percentile(latencies, 0.95), 2),
        "ungated": scores(data.intents, without),
    }


def main() -> None:
    """Measure and print."""
    options = parser("nudges", __doc__ or "")
    options.add_argument("--data", type=Path, required=True, help="the nudges folder")
    options.add_argument("--intents", type=Path, help="another file of intents")
    options.add_argument("--crowd", type=int, default=10_000, help="failures of other matters")
    given = options.parse_args()
    data = load_nudges(given.data, given.intents)
    where = machine()
    with fresh_stack() as settings:
        figures = asyncio.run(measure(settings, data))
        if given.crowd:
            figures["among_a_crowd"] = asyncio.run(among_many(settings, data, given.crowd))
    reference = figures["ungated"]["precision"]
    print_report(
        {
            "name": "nudges",
            "unit": "precision",
            "ours": figures["precision"],
            "reference": reference,
            "reference_is": "the best failure by cosine >= 0.45, without a gate",
            "ratio": round(figures["precision"] / reference, 3) if reference else None,
            "rounds": 1,
            "spread": 0.0,
            **figures,
            "machine": where,
        }
    )


if __name__ == "__main__":
    main()
