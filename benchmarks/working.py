"""Working-memory operations per second through the batched lane, beside an empty batched call.

    python -m benchmarks.working --callers 100 --seconds 5 --json

Ours: callers are coroutines in one process; each notes an item of its own agent and awaits its
receipt, with `ack="accepted"` (in the host's memory), and once more with the default `durable`. The
reference: as many callers put the same operations, built and taken apart beforehand, through the
same Batcher to as many actors, whose method does nothing and returns nothing. What separates them
is all that this project adds: checks, ids, placement, order, the state machine, receipts.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

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
from pinak_ray.concurrency.batching import Batcher
from pinak_ray.records.limits import check_json
from pinak_ray.records.operations import Note, Origin
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.state.wire import encode_operation

_HOST_BATCH = 256
_KEYS = 8


class Idle:
    """An actor that takes a batch and does nothing with it."""

    async def apply(self, sent: Sequence[Any], origin: Origin, retried: bool) -> None:
        """Return at once."""


def value(number: int) -> dict[str, Any]:
    """Return what a caller notes: about 200 bytes of JSON."""
    return {"step": number, "doing": "rolling out " + "orders " * 24, "done": [number, None, True]}


async def loops(
    callers: int, seconds: float, act: Callable[[int, int], Awaitable[Any]]
) -> dict[str, float]:
    """Let each caller act again as soon as it was answered; return rate and latencies in ms."""
    latencies: list[float] = []
    deadline = time.perf_counter() + seconds

    async def caller(index: int) -> None:
        for number in itertools.count():
            before = time.perf_counter()
            if before >= deadline:
                return
            await act(index, number)
            latencies.append((time.perf_counter() - before) * 1000)

    start = time.perf_counter()
    await asyncio.gather(*(caller(index) for index in range(callers)))
    return {
        "per_s": len(latencies) / (time.perf_counter() - start),
        "p50_ms": percentile(latencies, 0.5),
        "p99_ms": percentile(latencies, 0.99),
    }


async def ours(swarm: pinak_ray.Swarm, callers: int, seconds: float, ack: str) -> dict[str, float]:
    """Return the figures of notes that reach this ack level."""
    agents = [swarm.agent(f"caller-{index}") for index in range(callers)]
    await asyncio.gather(*(agent.recollect() for agent in agents))  # activated
    return await loops(
        callers,
        seconds,
        lambda index, n: agents[index].note(f"item-{n % _KEYS}", value(n), ack=ack),
    )


async def empty(actors: Sequence[Any], callers: int, seconds: float) -> dict[str, float]:
    """Return the figures of the reference."""

    def batcher(actor: Any) -> Batcher[Any]:
        numbers, lane = itertools.count(1), uuid4()

        async def carry(batch: Sequence[Any]) -> Sequence[Any]:
            await actor.apply.remote(batch, Origin(lane, next(numbers)), False)
            return [None] * len(batch)

        return Batcher(carry, max_batch=_HOST_BATCH)

    batchers = [batcher(actor) for actor in actors]
    built = [
        [
            encode_operation(
                Note(
                    Owner(1, Space.AGENT, f"caller-{index}"),
                    f"item-{n % _KEYS}",
                    check_json("value", value(n)),
                    uuid4(),
                )
            )
            for n in range(64)
        ]
        for index in range(callers)
    ]
    return await loops(
        callers,
        seconds,
        lambda index, n: batchers[index % len(batchers)].put(built[index][n % 64]),
    )


def measure(
    swarm: pinak_ray.Swarm, hosts: int, callers: int, seconds: float, rounds: int
) -> dict[str, Any]:
    """Return the report's figures, the three measurements interleaved."""
    actor_class: Any = ray.remote(Idle)
    actors = [actor_class.options(num_cpus=0, max_concurrency=1000).remote() for _ in range(hosts)]
    figures: dict[str, list[dict[str, float]]] = {"empty": [], "accepted": [], "durable": []}

    async def one_round(number: int) -> None:
        for name, taken in figures.items():
            if name == "empty":
                taken.append(await empty(actors, callers, seconds))
            else:
                taken.append(await ours(swarm, callers, seconds, name))
            progress(f"round {number + 1}: {name}: {taken[-1]['per_s']:,.0f}/s")

    for number in range(rounds + 1):
        asyncio.run(one_round(number))
        if number == 0:
            for taken in figures.values():
                taken.clear()  # connections, imports and first activations
    medians = {
        name: {key: round(statistics.median(f[key] for f in taken), 2) for key in taken[0]}
        for name, taken in figures.items()
    }
    ratios = [
        a["per_s"] / e["per_s"] for a, e in zip(figures["accepted"], figures["empty"], strict=True)
    ]
    return {
        "name": "working",
        "unit": "working-memory operations/s",
        "ours": medians["accepted"]["per_s"],
        "reference": medians["empty"]["per_s"],
        "reference_is": "the same payload through the same Batcher to actors that do nothing",
        "ratio": round(statistics.median(ratios), 3),
        "rounds": rounds,
        "spread": round(spread(ratios), 3),
        "callers": callers,
        "hosts": hosts,
        **medians,
    }


def main() -> None:
    """Measure and print."""
    options = parser("working", __doc__ or "")
    options.add_argument("--callers", type=int, default=100, help="coroutines that call")
    options.add_argument("--seconds", type=float, default=5.0, help="seconds a measurement")
    given = options.parse_args()
    where = machine()
    with fresh_stack() as settings:
        swarm = pinak_ray.connect(home=settings.home, project="bench")
        report = measure(swarm, settings.hosts, given.callers, given.seconds, given.rounds)
    print_report({**report, "machine": where})


if __name__ == "__main__":
    main()
