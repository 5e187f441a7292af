"""Agents that watch one board while they post to it, beside a bare stream of Ray.

    python -m benchmarks.boards --agents 64 --json

Ours: each agent posts, awaits its durable receipt and posts again; as many watchers iterate over
`board.watch()`. Latency is from the call of a post until a watcher has the entry. The reference
does the same with an actor that keeps a list and streams it: no commit, no cursor to resume from.
Both are measured at full load (what counts is deliveries/s) and at an equal, moderate one (what
counts is latency). Then the board's host is killed (-9) in the middle of 20 s of posts; what it
kept from being posted is made up for at once. Exits with 1 when an acknowledged post was missed or
came out of order, or a watcher did not come back.
"""

import math
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ray

import pinak_ray
from benchmarks.boards.crowd import Crowd
from benchmarks.boards.sides import BoardSide, Side, StreamSide
from benchmarks.boards.verdict import Verdict, judge, latencies_ms, recovery_s
from benchmarks.report import fresh_stack, machine, parser, print_report, progress, spread
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.records.topology import RAY_NAMESPACE

_CALL_TIMEOUT_S = 30.0
# Long enough for a host to be replaced and for its watchers to go on; what was not posted in the
# meantime is made up for afterwards, at full load.
_KILLED_PER_S, _KILLED_S = 200.0, 20.0

_REFERENCE = (
    "an actor's async generators, one a watcher, which yield all that is new in its list: the same "
    "payloads to and from the same processes, batched on both ways, in memory only"
)

Figures = dict[str, float]


def kill_host(swarm: pinak_ray.Swarm, board: str) -> float:
    """Kill the process of the board's host with -9; return when (monotonic)."""
    if not isinstance(swarm.transport, RayTransport):
        raise TypeError("only a swarm over Ray knows its hosts")
    owner = Owner(swarm.namespace_id, Space.BOARD, board)
    name = swarm.transport.topology.placement.host_of(owner)
    host: Any = ray.get_actor(name, namespace=RAY_NAMESPACE)
    pid = ray.get(host.ping.remote(), timeout=_CALL_TIMEOUT_S)["pid"]
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def measure(
    crowd: Crowd,
    side: Side,
    per_s: float | None,
    seconds: float,
    strike: Callable[[], float] | None = None,
) -> Figures:
    """Return the figures of one board from its first post to its last, struck in the middle."""
    crowd.begin(side)
    posting = crowd.post(side, per_s, seconds)
    struck_at = None
    if strike is not None:
        time.sleep(seconds / 2)
        struck_at = strike()
    posted, seen = crowd.end(side, posting)
    began = min(each.began for each in posted)
    acknowledged = [post for each in posted for post in each.acknowledged]
    verdict = judge(acknowledged, seen)
    last = max((each.arrived[-1] for each in seen if each.arrived), default=began)
    figures = {
        "posts_per_s": len(acknowledged) / (max(each.ended for each in posted) - began),
        "deliveries_per_s": verdict.deliveries / (last - began) if last > began else 0.0,
        **latencies_ms(seen),
        **verdict._asdict(),
    }
    if struck_at is not None:
        back = recovery_s(struck_at, seen)
        figures["recovery_s"] = float("nan") if back is None else back
    return figures


def rounds_of(
    crowd: Crowd, swarm: pinak_ray.Swarm, given: Any
) -> tuple[dict[str, list[Figures]], list[Figures]]:
    """Return the figures of each round, side by side, and those of the rounds with a kill."""
    taken: dict[str, list[Figures]] = {}
    for number in range(given.rounds + 1):  # the first warms up: imports, connections
        for load, per_s in (("full", None), ("equal", given.per_s)):
            stream = StreamSide.start()
            for who, side in (
                ("stream", stream),
                ("board", BoardSide(swarm, f"{load}-{number}")),
            ):
                figures = measure(crowd, side, per_s, given.seconds)
                if number:
                    taken.setdefault(f"{who} {load}", []).append(figures)
                progress(f"round {number}: {who}, {load} load: {_line(figures)}")
            ray.kill(stream.actor)
    killed: list[Figures] = []
    for number in range(given.kills):
        board = f"killed-{number}"
        killed.append(
            measure(
                crowd,
                BoardSide(swarm, board),
                _KILLED_PER_S,
                _KILLED_S,
                partial(kill_host, swarm, board),
            )
        )
        progress(f"kill {number + 1}: {_line(killed[-1])}")
    return taken, killed


def _line(figures: Figures) -> str:
    return ", ".join(f"{name} {value:,.1f}" for name, value in figures.items())


def report(
    taken: dict[str, list[Figures]], killed: Sequence[Figures], agents: int
) -> dict[str, Any]:
    """Return the report's figures."""
    middle = {name: _medians(rounds) for name, rounds in taken.items()}
    full, equal = (
        {"ours": middle[f"board {load}"], "reference": middle[f"stream {load}"]}
        for load in ("full", "equal")
    )
    ratios = [
        ours["deliveries_per_s"] / theirs["deliveries_per_s"]
        for ours, theirs in zip(taken["board full"], taken["stream full"], strict=True)
    ]
    ours = [*taken["board full"], *taken["board equal"], *killed]
    return {
        "name": "boards",
        "unit": f"deliveries/s to {agents} watchers of one board",
        "ours": full["ours"]["deliveries_per_s"],
        "reference": full["reference"]["deliveries_per_s"],
        "reference_is": _REFERENCE,
        "ratio": round(statistics.median(ratios), 3),
        "rounds": len(ratios),
        "spread": round(spread(ratios), 3),
        "agents": agents,
        "posts_per_s": full["ours"]["posts_per_s"],
        "watch_p50_ms": equal["ours"]["watch_p50_ms"],
        "watch_p95_ms": equal["ours"]["watch_p95_ms"],
        **{name: int(sum(each[name] for each in ours)) for name in Verdict._fields},
        "full_load": full,
        "equal_load": {
            **equal,
            "ratio": {
                name: round(equal["ours"][name] / equal["reference"][name], 2)
                for name in ("watch_p50_ms", "watch_p95_ms")
            },
        },
        "killed": [{name: round(value, 2) for name, value in each.items()} for each in killed],
    }


def _medians(rounds: Sequence[Figures]) -> Figures:
    return {name: round(statistics.median(each[name] for each in rounds), 2) for name in rounds[0]}


def main() -> None:
    """Measure and print."""
    options = parser("boards", __doc__ or "")
    options.add_argument("--agents", type=int, default=64, help="agents, each with a watcher")
    options.add_argument("--processes", type=int, default=4, help="that watch; half as many post")
    options.add_argument("--seconds", type=float, default=5.0, help="seconds a measurement")
    options.add_argument("--per-s", type=float, default=10.0, help="posts/s of the equal load")
    options.add_argument("--kills", type=int, default=1, help="rounds with a kill -9")
    given = options.parse_args()
    where = machine()
    with fresh_stack() as settings:
        swarm = pinak_ray.connect(home=settings.home, project="bench")
        crowd = Crowd.gather(given.agents, given.processes)
        taken, killed = rounds_of(crowd, swarm, given)
    figures = report(taken, killed, given.agents)
    print_report({**figures, "processes": given.processes, "machine": where})
    deaf = any(math.isnan(each["recovery_s"]) for each in killed)
    sys.exit(1 if figures["missed"] or figures["out_of_order"] or deaf else 0)


if __name__ == "__main__":
    main()
