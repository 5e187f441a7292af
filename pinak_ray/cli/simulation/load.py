"""An open-loop load: operations leave when they are due, not when the ones before are answered.

So a stack that stalls meets the same load as one that does not, and what had to wait is counted
(without this, a stall hides itself: coordinated omission).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pinak_ray.cli.simulation.acknowledged import Acknowledged, Noted
from pinak_ray.cli.simulation.behaviour import Action, Verb, actions, agent_name, board_name
from pinak_ray.cli.simulation.plan import Slice
from pinak_ray.cli.simulation.samples import Samples
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.errors import PinakError

__all__ = ["Load", "Report"]

Report = Callable[[Samples], Awaitable[bool]]
"""Takes what was measured since the last call; answers whether to end early."""

# Half a thousand unanswered operations of one task are seconds behind; more would only measure the
# queue that they make.
_MAX_IN_FLIGHT = 512
_REPORT_EVERY_S = 1.0
# Longer than the transport goes on trying, so that every operation ends by its own account.
_DRAIN_TIMEOUT_S = 120.0


@dataclass(slots=True)
class Load:
    """Acts for one slice of the agents."""

    swarm: Swarm
    part: Slice
    report: Report
    acknowledged: Acknowledged = field(init=False)
    _samples: Samples = field(default_factory=Samples)
    _began: float = 0.0
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _in_flight: "set[asyncio.Task[None]]" = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_IN_FLIGHT))

    def __post_init__(self) -> None:
        self.acknowledged = Acknowledged(self.part.plan.agents)

    async def warm_up(self) -> None:
        """Look the actors up: a process's first call does, and that is not what is measured."""
        agent = self.swarm.agent(agent_name(self.part.agent(0)))
        await asyncio.gather(agent.recall("what is known?", k=1), agent.recollect())

    async def run(self) -> Acknowledged:
        """Act until the plan's time is over or `report` says so; return what was acknowledged."""
        self._began = time.monotonic()
        reporting = asyncio.create_task(self._report_each_second())
        try:
            await self._act()
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=_DRAIN_TIMEOUT_S)
        finally:
            self._end.set()
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)
            await reporting
        await self._report()
        return self.acknowledged

    async def _act(self) -> None:
        for action in actions(self.part):
            if action.due_s >= self.part.plan.duration_s:
                return
            if await self._is_over(action.due_s):
                if self._passed() < action.due_s:
                    return  # ended early: it was not due yet
                self._samples.unsent += 1
                continue
            await self._slots.acquire()
            task = asyncio.create_task(self._perform(action))
            self._in_flight.add(task)
            task.add_done_callback(self._finished)

    async def _is_over(self, due_s: float) -> bool:
        """Wait until `due_s`; return whether nothing is to be sent any more."""
        # Again if need be: a loop's timer may ring a millisecond early.
        while (wait := due_s - self._passed()) > 0 and not self._end.is_set():
            await self._wait_for_end(wait)
        return self._end.is_set() or self._passed() >= self.part.plan.duration_s

    async def _wait_for_end(self, seconds: float) -> None:
        """Sleep this long, or until the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._in_flight.discard(task)
        self._slots.release()

    async def _perform(self, action: Action) -> None:
        """Carry out one action; whatever becomes of it is counted where it was due."""
        interval = int(action.due_s / self.part.plan.interval_s)
        sent_s = self._passed()
        self._samples.add_lag(interval, (sent_s - action.due_s) * 1000)
        try:
            answer = await self._start(action)
        except asyncio.CancelledError:
            self._samples.cell(interval, action.verb).errors["unanswered"] += 1
            raise
        except Exception as error:
            code = error.code if isinstance(error, PinakError) else type(error).__name__
            self._samples.cell(interval, action.verb).errors[code] += 1
            return
        done_s = self._passed()
        # Only now: while it was under way the samples may have been handed over.
        cell = self._samples.cell(interval, action.verb)
        cell.latency.add((done_s - action.due_s) * 1000)
        cell.service.add((done_s - sent_s) * 1000)
        if action.verb is Verb.NOTE:
            self.acknowledged.add(action.agent, action.key, Noted(answer.version, action.text))
        elif action.verb is Verb.INTEND:
            self._samples.nudged += bool(answer)

    def _start(self, action: Action) -> Awaitable[Any]:
        agent = self.swarm.agent(agent_name(action.agent))
        match action.verb:
            case Verb.NOTE:
                return agent.note(action.key, action.text)
            case Verb.REMEMBER:
                return agent.remember(
                    action.text,
                    layer="episodic",
                    outcome="failure" if action.failed else "success",
                    session=action.session,
                    tags=(action.topic,),
                    source=self.part.plan.source,
                )
            case Verb.RECALL:
                return agent.recall(action.text, k=5)
            case Verb.RECOLLECT:
                return agent.recollect()
            case Verb.CONTEXT:
                return agent.context()
            case Verb.INTEND:
                return agent.intend(action.text)
            case Verb.POST if action.to_board:
                board = self.swarm.board(board_name(action.agent))
                return board.post(action.text, author=agent.name)
            case Verb.POST:
                return agent.scratchpad.post(action.text)

    async def _report_each_second(self) -> None:
        while not self._end.is_set():
            await self._wait_for_end(_REPORT_EVERY_S)
            await self._report()

    async def _report(self) -> None:
        """Hand over what was measured; a reader that is gone ends the load."""
        samples, self._samples = self._samples, Samples()
        try:
            end = await self.report(samples)
        except Exception:
            self._end.set()
            raise
        if end:
            self._end.set()

    def _passed(self) -> float:
        return time.monotonic() - self._began
