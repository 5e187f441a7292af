"""The simulation from beginning to end."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import ray

from pinak_ray.cli.simulation.acknowledged import Acknowledged
from pinak_ray.cli.simulation.behaviour import Verb
from pinak_ray.cli.simulation.hosts import HostReading, Hosts
from pinak_ray.cli.simulation.machine import describe_machine
from pinak_ray.cli.simulation.plan import Plan
from pinak_ray.cli.simulation.result import Result
from pinak_ray.cli.simulation.samples import Samples
from pinak_ray.cli.simulation.tasks import START_TIMEOUT_S, Tally, drive
from pinak_ray.cli.simulation.verification import verify
from pinak_ray.client.connection import connect
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.errors import Unavailable

__all__ = ["Moment", "Watch", "run_simulation"]

_LOOK_EVERY_S = 1.0
_ASK_TIMEOUT_S = 30.0
# After the plan's end: the operations' own time limits, and the tasks' waiting for them.
_GRACE_S = 180.0
# What "now" means in the live figures: long enough for percentiles of the rarer verbs.
_RECENT_S = 10


@dataclass(frozen=True, slots=True)
class Moment:
    """What a watcher is shown each second."""

    plan: Plan
    passed_s: float
    ending: bool
    total: Samples
    recent: Samples
    """Of the last seconds, `recent_s` of them."""
    recent_s: float
    hosts: dict[str, HostReading]


Watch = Callable[[Moment], None]


@dataclass(slots=True)
class _Watched:
    """All that is known of a run while it runs."""

    plan: Plan
    hosts: Hosts
    total: Samples = field(default_factory=Samples)
    recent: "deque[Samples]" = field(default_factory=lambda: deque(maxlen=_RECENT_S))
    seconds: float = 0.0

    def take(self, samples: Samples, passed_s: float, *, ending: bool) -> Moment:
        """Add a second's samples and read the hosts."""
        self.total.merge(samples)
        self.recent.append(samples)
        recent = Samples()
        for one in self.recent:
            recent.merge(one)
        at = min(passed_s, self.plan.duration_s)
        readings = self.hosts.read(int(at / self.plan.interval_s))
        recent_s = min(passed_s, len(self.recent) * _LOOK_EVERY_S)
        return Moment(self.plan, at, ending, self.total, recent, recent_s, readings)


def run_simulation(
    home: Path,
    dsn: str,
    project: str,
    plan: Plan,
    *,
    progress: Callable[[str], None],
    watch: Watch,
    end: Event,
) -> Result:
    """Run on the stack in `home`; blocking. `end` ends it early, with all that was measured.

    Raises NotRunning, Unavailable.
    """
    machine = describe_machine()
    progress("joining Ray")
    swarm = connect(home=home, project=project)
    transport = swarm.transport
    assert isinstance(transport, RayTransport)
    watched = _Watched(plan, Hosts(transport.topology.placement.all_hosts))
    progress(f"starting {len(plan.slices())} tasks")
    tally, refs = _start(swarm, plan)
    progress(f"{plan.agents:,} agents at work")
    began_at = datetime.now().astimezone()
    _watch(watched, tally, refs, watch, end)
    kept, died = _collected(refs)
    progress("reading back what was acknowledged")
    memories = watched.total.of_verb(Verb.REMEMBER).latency.count
    verified = asyncio.run(verify(swarm, dsn, plan.source, kept, memories))
    return Result(
        plan=plan,
        project=project,
        began_at=began_at,
        seconds=watched.seconds,
        ended_early=watched.seconds < plan.duration_s,
        tasks_died=died,
        machine=machine,
        samples=watched.total,
        hosts=watched.hosts,
        verified=verified,
    )


def _start(swarm: Swarm, plan: Plan) -> tuple[Any, list[Any]]:
    """Start the tasks and return once all of them act."""
    parts = plan.slices()
    tally: Any = Tally.remote(len(parts))  # type: ignore[attr-defined]
    refs = [drive.remote(swarm, part, tally) for part in parts]
    started = tally.started.remote()
    # A task that fails at once, by its own error, need not be waited for.
    ray.wait([started, *refs], num_returns=1, timeout=START_TIMEOUT_S)
    for ref in ray.wait(refs, timeout=0)[0]:
        ray.get(ref, timeout=_ASK_TIMEOUT_S)
    try:
        ray.get(started, timeout=_ASK_TIMEOUT_S)
    except (ray.exceptions.RayError, TimeoutError) as error:
        raise Unavailable("the tasks did not start; see `pinak-ray doctor`") from error
    return tally, refs


def _watch(watched: _Watched, tally: Any, refs: list[Any], watch: Watch, end: Event) -> None:
    """Each second take what was measured and show it, until every task has ended."""
    plan, began, told = watched.plan, time.monotonic(), False
    watched.hosts.read(0)
    running = refs
    while running:
        # `end` is looked at each second once it is set, so it cannot be the clock then.
        if told:
            time.sleep(_LOOK_EVERY_S)
            # By now every task has heard of it.
            watched.seconds = watched.seconds or min(time.monotonic() - began, plan.duration_s)
        elif end.wait(_LOOK_EVERY_S):
            ray.get(tally.end.remote(), timeout=_ASK_TIMEOUT_S)
            told = True
        running = ray.wait(running, num_returns=len(running), timeout=0)[1]
        passed = time.monotonic() - began
        watch(
            watched.take(ray.get(tally.take.remote(), timeout=_ASK_TIMEOUT_S), passed, ending=told)
        )
        if passed > plan.duration_s + _GRACE_S:
            raise Unavailable(f"the tasks did not end {_GRACE_S:.0f} s after their time")
    watched.seconds = watched.seconds or plan.duration_s


def _collected(refs: list[Any]) -> tuple[list[Acknowledged], int]:
    """Return what each task was told, and how many tasks died."""
    kept, died = [], 0
    for ref in refs:
        try:
            kept.append(ray.get(ref, timeout=_ASK_TIMEOUT_S))
        except ray.exceptions.RayError:
            died += 1
    return kept, died
