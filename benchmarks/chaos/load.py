"""The load: 32 agents at work without a pause, each awaiting its receipts before it goes on."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pinak_ray
from benchmarks.chaos.ledger import Kind, Lane, Ledger, Wire
from pinak_ray import Swarm

__all__ = ["AGENTS", "KEY", "Load", "board_of", "content_of"]

AGENTS = 32
KEY = "step"
"""The working item that every agent counts its notes in."""

_OVER_HTTP = 8
_AWAITING_SEARCHABLE = 4
_BOARDS = 2
# Over Ray one client's operations keep their order though none is awaited; requests that are under
# way at the same time over HTTP have none.
_AT_ONCE = 3
_STATE = (Kind.NOTE, Kind.SCRATCHPAD, Kind.BOARD)
# At most 60 memories and 700 state writes a second: two cores embed 450 texts/s, and must not fall
# behind, or `searchable` would tell how long the queue is and not how long a recovery takes.
_PAUSE_S = {True: 0.5, False: 0.25}
_STOP_TIMEOUT_S = 90.0

Issue = Callable[[int], Awaitable[Any]]


def content_of(lane: Lane, number: int) -> str:
    """Return the text of one write; the last word is its number."""
    return f"{lane.agent} reports {lane.kind} {number}"


def board_of(agent: str) -> str:
    """Return the board that this agent shares with others."""
    return f"team-{int(agent.rpartition('-')[2]) % _BOARDS}"


@dataclass(slots=True)
class _Watch:
    """Waits until each lane has done something that it began after a moment."""

    since: float
    missing: set[Lane]
    done: "asyncio.Future[float]"

    def saw(self, lane: Lane, began: float) -> None:
        if began > self.since:
            self.missing.discard(lane)
            if not self.missing and not self.done.done():
                self.done.set_result(time.monotonic() - self.since)


@dataclass(slots=True, eq=False)
class Load:
    """Every lane of every agent, as tasks of the running loop."""

    ray: Swarm
    http: Swarm
    ledger: Ledger
    _stopping: bool = False
    _watches: list[_Watch] = field(default_factory=list)
    _tasks: "dict[Lane, asyncio.Task[None]]" = field(default_factory=dict)

    def start(self) -> None:
        """Let every lane begin."""
        for index in range(AGENTS):
            wire = Wire.HTTP if index < _OVER_HTTP else Wire.RAY
            kind = Kind.SEARCHABLE if index >= AGENTS - _AWAITING_SEARCHABLE else Kind.MEMORY
            for each in (kind, *_STATE):
                self._begin(Lane(each, f"agent-{index:02d}", wire))
        self._begin(Lane(Kind.CONNECT, "newcomer", Wire.RAY))

    def lanes(self, kinds: Iterable[Kind], wires: Iterable[Wire] = tuple(Wire)) -> set[Lane]:
        """Return the lanes of these kinds over these wires."""
        return {lane for lane in self._tasks if lane.kind in kinds and lane.wire in wires}

    async def recovered(self, lanes: set[Lane], since: float, timeout_s: float) -> float:
        """Return the seconds from `since` (monotonic) until each lane did what it began afterwards.

        Raises TimeoutError that names the lanes which did not.
        """
        watch = _Watch(since, set(lanes), asyncio.get_running_loop().create_future())
        self._watches.append(watch)
        try:
            async with asyncio.timeout(timeout_s):
                return await watch.done
        except TimeoutError:
            missing = sorted(f"{lane.agent} {lane.kind} over {lane.wire}" for lane in watch.missing)
            raise TimeoutError(f"not within {timeout_s:.0f} s: {', '.join(missing)}") from None
        finally:
            self._watches.remove(watch)

    async def stop(self) -> None:
        """Let every lane await what it has issued, and end; raises what a lane died of."""
        self._stopping = True
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await asyncio.gather(*self._tasks.values())

    def _begin(self, lane: Lane) -> None:
        work = self._connect(lane) if lane.kind is Kind.CONNECT else self._write(lane)
        self._tasks[lane] = asyncio.create_task(work)

    async def _write(self, lane: Lane) -> None:
        issue = self._issue(lane)
        is_memory = lane.kind in (Kind.MEMORY, Kind.SEARCHABLE)
        at_once = _AT_ONCE if lane.wire is Wire.RAY and not is_memory else 1
        while not self._stopping:
            began = time.monotonic()
            numbers = self.ledger.issue(lane, at_once)
            outcomes = await asyncio.gather(*map(issue, numbers), return_exceptions=True)
            self.ledger.record(lane, zip(numbers, outcomes, strict=True))
            if not any(isinstance(outcome, BaseException) for outcome in outcomes):
                self._saw(lane, began)
            await self._pause(_PAUSE_S[is_memory])

    async def _connect(self, lane: Lane) -> None:
        while not self._stopping:
            began = time.monotonic()
            try:
                await asyncio.to_thread(
                    pinak_ray.connect, tenant=self.ray.namespace.tenant, project="newcomer"
                )
            except Exception:  # noqa: S110 - a newcomer finds the door closed, and tries again
                pass
            else:
                self._saw(lane, began)
            await self._pause(_PAUSE_S[False])

    def _issue(self, lane: Lane) -> Issue:
        swarm = self.http if lane.wire is Wire.HTTP else self.ray
        agent, board = swarm.agent(lane.agent), swarm.board(board_of(lane.agent))
        match lane.kind:
            case Kind.NOTE:
                return lambda number: agent.note(KEY, number)
            case Kind.SCRATCHPAD:
                return lambda number: agent.scratchpad.post(content_of(lane, number))
            case Kind.BOARD:
                return lambda number: board.post(content_of(lane, number), author=lane.agent)
            case _:
                ack = "searchable" if lane.kind is Kind.SEARCHABLE else "durable"
                return lambda number: agent.remember(content_of(lane, number), ack=ack)

    def _saw(self, lane: Lane, began: float) -> None:
        for watch in self._watches:
            watch.saw(lane, began)

    async def _pause(self, about_s: float) -> None:
        # Jitter, so that the agents do not march in step.
        await asyncio.sleep(random.uniform(0.5, 1.5) * about_s)
