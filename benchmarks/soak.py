"""Full load for minutes: does any part of the stack grow?

    python -m benchmarks.soak --minutes 10 --agents 256 --json

Half of the agents are coroutines in a Ray task, the other half in another that only speaks HTTP;
each writes memories (six of ten operations), notes to 16 keys (three) and recalls (one), and awaits
each before the next. Every second the resident memory of every process of the stack is read. What
counts is a part's median in the last third of the time against that in the first: the reference.
"""

import asyncio
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import ray

import pinak_ray
from benchmarks.processes import memory_by_part
from benchmarks.report import fresh_stack, machine, parser, print_report, progress
from benchmarks.write import texts
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.ray_node import RayNode
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security import KeyRing, Scope, issue_token

_SAMPLE_EVERY_S = 1.0
_KEYS = 16
_MIB = 1 << 20
# A third's median moves this much without a leak: allocators' arenas, caches of statements.
_TOLERATED_SHARE = 0.05
_TOLERATED_MIB = 4.0


class Load:
    """Agents that never rest, and what became of their operations."""

    def __init__(self, swarm: pinak_ray.Swarm) -> None:
        self._swarm = swarm
        self._contents = texts(2_000, seed=5)
        self.done: Counter[str] = Counter()

    async def run(self, names: Sequence[str], seconds: float) -> Counter[str]:
        """Run these agents for a while; return how many of each verb were done, or refused."""
        deadline = time.monotonic() + seconds
        await asyncio.gather(*(self._agent(name, deadline) for name in names))
        await self._swarm.aclose()
        return self.done

    async def _agent(self, name: str, deadline: float) -> None:
        agent = self._swarm.agent(name)
        number = hash(name) % len(self._contents)
        while time.monotonic() < deadline:
            number += 1
            try:
                self.done[await self._step(agent, number)] += 1
            except pinak_ray.Overloaded as refusal:
                self.done["overloaded"] += 1
                await asyncio.sleep(refusal.retry_after_s)
            except pinak_ray.Unavailable:
                self.done["unavailable"] += 1

    async def _step(self, agent: pinak_ray.AgentHandle, number: int) -> str:
        content = self._contents[number % len(self._contents)]
        match number % 10:
            case 0:
                await agent.recall(content[:60], k=3)
                return "recall"
            case 1 | 2 | 3:
                await agent.note(f"key-{number % _KEYS}", content)
                return "note"
            case _:
                await agent.remember(content, layer="episodic")
                return "remember"


@ray.remote(num_cpus=0)
def run_load(swarm: pinak_ray.Swarm, names: Sequence[str], seconds: float) -> Counter[str]:
    """Run a load in a process of its own."""
    return asyncio.run(Load(swarm).run(names, seconds))


def over_http(settings: Settings) -> pinak_ray.Swarm:
    """Return the same namespace as a caller outside the cluster reaches it."""
    token = issue_token(
        KeyRing.load_or_create(settings.home / "keys").current,
        "soak",
        namespace=NamespaceKey("default", "soak"),
        scopes=(Scope.READ, Scope.WRITE, Scope.AGENTS),
    )
    return pinak_ray.connect(url=StackFile.read(settings.home).url, token=token)


def soak(settings: Settings, agents: int, seconds: float) -> dict[str, Any]:
    """Load the stack and return the report's figures."""
    swarms = (pinak_ray.connect(home=settings.home, project="soak"), over_http(settings))
    names = [f"agent-{i:04d}" for i in range(agents)]
    loads = [run_load.remote(swarm, names[index::2], seconds) for index, swarm in enumerate(swarms)]
    roots = [
        RayNode(settings.home).pid(),
        EmbeddedPostgres(settings.home / "postgres").postmaster_pid,
    ]
    samples: list[tuple[float, dict[str, float]]] = []
    started, working = time.monotonic(), loads
    while working:
        sample = memory_by_part([pid for pid in roots if pid is not None])
        samples.append((time.monotonic() - started, sample))
        _, working = ray.wait(loads, num_returns=len(loads), timeout=_SAMPLE_EVERY_S)
        if len(samples) % 30 == 0:
            shown = ", ".join(f"{part} {size / _MIB:,.0f}" for part, size in sample.items())
            progress(f"{samples[-1][0]:.0f} s, MiB: {shown}")
    by_wire = dict(zip(("ray", "http"), ray.get(loads, timeout=60), strict=True))
    # After the deadline the last operations only finish.
    return report([each for each in samples if each[0] <= seconds], by_wire, seconds)


def report(
    samples: Sequence[tuple[float, Mapping[str, float]]],
    by_wire: Mapping[str, Mapping[str, int]],
    seconds: float,
) -> dict[str, Any]:
    """Return the figures of these samples: (seconds since the start, bytes by part)."""
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for at, sizes in samples:
        for part, size in sizes.items():
            series[part].append((at, size / _MIB))
    parts = {part: growth(points, seconds) for part, points in sorted(series.items())}
    stack = [figures for part, figures in parts.items() if part != "load"]
    first, last = (sum(figures[which] for figures in stack) for which in ("first_mib", "last_mib"))
    return {
        "name": "soak",
        "unit": "MiB, all parts, median of the last third",
        "ours": round(last, 1),
        "reference": round(first, 1),
        "reference_is": "the same stack, median of the first third",
        "ratio": round(last / first, 3),
        "rounds": 1,
        "spread": 0.0,
        "flat": all(figures["flat"] for figures in stack),
        "flat_means": f"grown by at most {_TOLERATED_SHARE:.0%} and {_TOLERATED_MIB:.0f} MiB",
        "seconds": seconds,
        "parts": parts,
        "operations": {wire: dict(counts) for wire, counts in by_wire.items()},
    }


def growth(points: Sequence[tuple[float, float]], seconds: float) -> dict[str, Any]:
    """Return how one part's memory went: MiB of each third, MiB a minute, and whether it held."""
    first = statistics.median([y for x, y in points if x <= seconds / 3] or [0.0])
    last = statistics.median([y for x, y in points if x >= seconds * 2 / 3] or [0.0])
    slope = statistics.linear_regression(*zip(*points, strict=True)).slope if points[1:] else 0.0
    return {
        "first_mib": round(first, 1),
        "last_mib": round(last, 1),
        "slope_mib_per_min": round(slope * 60, 2),
        "flat": last <= first * (1 + _TOLERATED_SHARE) + _TOLERATED_MIB,
    }


def main() -> None:
    """Measure and print."""
    options = parser("soak", __doc__ or "")
    options.add_argument("--minutes", type=float, default=10.0, help="minutes of load")
    options.add_argument("--agents", type=int, default=256, help="agents, half over each wire")
    given = options.parse_args()
    where = machine()
    with fresh_stack() as settings:
        figures = soak(settings, given.agents, given.minutes * 60)
    print_report({**figures, "machine": where})


if __name__ == "__main__":
    main()
