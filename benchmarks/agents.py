"""Virtual agents on one machine: memory of the hosts and time to activate, beside actors.

    python -m benchmarks.agents --registered 1000000 --active 100000 --json

Registered agents have a working item in the database. First agents are activated one after the
other, for the latency of a first use; then eight at a time; then all of the active ones, for the
memory of the hosts (their peak RSS, as the kernel has it). The reference is one Ray actor per
agent: as many as start within a minute, each holding one item.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import ray

import pinak_ray
from benchmarks.report import fresh_stack, machine, parser, percentile, print_report, progress
from pinak_ray.cluster.postgres.server import EmbeddedPostgres
from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.stack import health
from pinak_ray.records.ids import uuid7

_COPIED_AT_ONCE = 20_000
_FEW = 8
_CROWD = 512
_GIB = 1 << 30
_REFERENCE_S = 60.0
_REFERENCE_AT_ONCE = 8


def name_of(index: int) -> str:
    """Return the name of the index-th agent."""
    return f"agent-{index:07d}"


async def register(dsn: str, namespace_id: int, agents: int) -> float:
    """Give every agent a working item of about 200 bytes; return the seconds it took."""
    connection = await asyncpg.connect(dsn)
    start = time.perf_counter()
    now = datetime.now(UTC)
    value = '{"step": 1, "doing": "' + "rolling out orders " * 9 + '"}'
    columns = ["namespace_id", "agent", "key", "value", "version", "updated_at", "operation_id"]
    try:
        for first in range(0, agents, _COPIED_AT_ONCE):
            rows = [
                (namespace_id, name_of(index), "plan", value, 1, now, uuid7())
                for index in range(first, min(first + _COPIED_AT_ONCE, agents))
            ]
            await connection.copy_records_to_table(
                "working_items", schema_name="pinak", records=rows, columns=columns
            )
            if (first // _COPIED_AT_ONCE) % 10 == 0:
                progress(f"registered {first + len(rows):,} of {agents:,}")
        await connection.execute("ANALYZE pinak.working_items")
    finally:
        await connection.close()
    return time.perf_counter() - start


async def activate(swarm: pinak_ray.Swarm, indexes: Sequence[int], callers: int) -> list[float]:
    """Let callers use each of these agents for the first time; return the latencies in ms."""
    waiting = iter(indexes)
    latencies: list[float] = []

    async def caller() -> None:
        for index in waiting:
            before = time.perf_counter()
            items = await swarm.agent(name_of(index)).recollect("plan")
            latencies.append((time.perf_counter() - before) * 1000)
            if not items:
                raise RuntimeError(f"{name_of(index)} was registered and is empty")

    await asyncio.gather(*(caller() for _ in range(callers)))
    return latencies


def peak_bytes(pid: int) -> int:
    """Return the process's peak resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} shows no peak")


def hosts_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what each host says of itself."""
    return {n: part for n, part in health(settings).items() if n.startswith("host-")}


class OneAgent:
    """The reference: an actor that is an agent."""

    def __init__(self) -> None:
        self.items = {"plan": {"step": 1, "doing": "rolling out orders " * 9}}

    def memory(self) -> int:
        """Return this process's resident memory in bytes."""
        return peak_bytes(os.getpid())


def actor_per_agent() -> dict[str, Any]:
    """Start one actor per agent for a minute; return how many came up, and their memory."""
    actor_class: Any = ray.remote(OneAgent)
    up: list[Any] = []
    memories: list[int] = []
    deadline = time.perf_counter() + _REFERENCE_S
    while time.perf_counter() < deadline:
        new = [actor_class.options(num_cpus=0).remote() for _ in range(_REFERENCE_AT_ONCE)]
        up += new
        ready, _ = ray.wait(
            [actor.memory.remote() for actor in new],
            num_returns=len(new),
            timeout=max(0.1, deadline - time.perf_counter()),
        )
        memories += ray.get(ready)
    for actor in up:
        ray.kill(actor)
    return {
        "actors": len(memories),
        "started_per_s": round(len(memories) / _REFERENCE_S, 2),
        "mib_each": round(sum(memories) / len(memories) / 2**20, 1),
    }


def measure(settings: Settings, swarm: pinak_ray.Swarm, given: Any) -> dict[str, Any]:
    """Return the report's figures."""
    dsn = EmbeddedPostgres(settings.home / "postgres").dsn
    registering_s = asyncio.run(register(dsn, swarm.namespace_id, given.registered))
    order = random.Random(1).sample(range(given.registered), given.active + given.sample)
    before = sum(peak_bytes(host["pid"]) for host in hosts_of(settings).values())
    progress("first uses, one at a time, then a few")
    half = given.sample // 2
    lone = asyncio.run(activate(swarm, order[:half], 1))
    few = asyncio.run(activate(swarm, order[half : given.sample], _FEW))
    progress(f"activating {given.active:,} agents")
    start = time.perf_counter()
    crowd = asyncio.run(activate(swarm, order[given.sample :], _CROWD))
    activating_s = time.perf_counter() - start
    hosts = hosts_of(settings)
    peak = sum(peak_bytes(host["pid"]) for host in hosts.values())
    active = sum(host["active"] for host in hosts.values())
    progress("the reference: one actor per agent, for a minute")
    reference = actor_per_agent()
    each = (peak - before) / active
    return {
        "name": "agents",
        "unit": "GiB peak RSS of the hosts",
        "ours": round(peak / _GIB, 3),
        "reference": round(reference["mib_each"] * active / 1024, 1),
        "reference_is": "one Ray actor per agent: its measured RSS times the active agents",
        "ratio": round(peak / (reference["mib_each"] * 2**20 * active), 6),
        "rounds": 1,
        "spread": 0.0,
        "registered": given.registered,
        "registering_s": round(registering_s, 1),
        "active": active,
        "bytes_per_active_agent": round(each),
        "passivated": sum(host["passivated"] for host in hosts.values()),
        "activation_p50_ms": round(percentile(lone, 0.5), 2),
        "activation_p99_ms": round(percentile(lone, 0.99), 2),
        "few": {
            "activations_at_a_time": _FEW,
            "p50_ms": round(percentile(few, 0.5), 2),
            "p99_ms": round(percentile(few, 0.99), 2),
        },
        "crowd": {
            "activations_at_a_time": _CROWD,
            "per_s": round(len(crowd) / activating_s, 1),
            "p50_ms": round(percentile(crowd, 0.5), 1),
            "p99_ms": round(percentile(crowd, 0.99), 1),
        },
        "actor_per_agent": reference,
    }


def main() -> None:
    """Measure and print."""
    options = parser("agents", __doc__ or "")
    options.add_argument("--registered", type=int, default=1_000_000, help="agents with state")
    options.add_argument("--active", type=int, default=100_000, help="agents in memory at once")
    options.add_argument("--sample", type=int, default=2_000, help="first uses for the latency")
    given = options.parse_args()
    where = machine()
    with fresh_stack(host_memory_mb=4096, host_idle_s=86_400) as settings:
        swarm = pinak_ray.connect(home=settings.home, project="bench")
        report = measure(settings, swarm, given)
    print_report({**report, "machine": where})


if __name__ == "__main__":
    main()
