"""A host as a state machine meets it: time, commits and crashes are in the machine's hands."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pinak_ray.agents.changes import Change
from pinak_ray.agents.host import Host
from pinak_ray.records.errors import Unavailable
from pinak_ray.records.topology import Placement
from pinak_ray.testing.state import LocalState

_ALONE = Placement(1, ("local",))


@dataclass(slots=True)
class RefusingState(LocalState):
    """A store that refuses as many commits as it is told to."""

    refusals: int = 0

    def submit(
        self, changes: Sequence[Change], *, keep: bool = False
    ) -> "asyncio.Future[Mapping[int, Any]]":
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("the database is away")
        return LocalState.submit(self, changes, keep=keep)


class HostMachine(RuleBasedStateMachine):
    """One host over a store; what it answers is `heard`, operation by operation."""

    def __init__(self, runner: asyncio.Runner) -> None:
        super().__init__()
        self.runner = runner
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.state = RefusingState()
        self.sent: list[Any] = []
        self.crash()

    def heard(self, operation: Any, result: Any) -> None:
        """Hold an answer to what is known."""
        raise NotImplementedError

    @rule()
    def crash(self) -> None:
        """Another host goes on from what was committed."""
        self.host = Host(self.state, _ALONE, _ALONE.shards_of("local"), lambda: self.now)

    @rule()
    def refuse(self) -> None:
        """The next commit fails."""
        self.state.refusals = 1

    @rule(which=st.integers(0, 9))
    def repeat(self, which: int) -> None:
        """One of the last operations comes again, with its id."""
        if self.sent:
            self.apply(self.sent[-1 - which % len(self.sent)])

    def apply(self, *operations: Any) -> None:
        """Carry operations out, in their order."""
        results = self.runner.run(self.host.apply(operations))
        for operation, result in zip(operations, results, strict=True):
            self.sent.append(operation)
            self.heard(operation, result)

    def race(self, *operations: Any) -> None:
        """Carry operations out at once, each for itself."""

        async def raced() -> list[list[Any]]:
            return await asyncio.gather(*(self.host.apply([one]) for one in operations))

        for operation, (result,) in zip(operations, self.runner.run(raced()), strict=True):
            self.sent.append(operation)
            self.heard(operation, result)

    def ask(self, operation: Any) -> Any:
        """Return what a reading shows."""
        (result,) = self.runner.run(self.host.apply([operation]))
        return result


def drive(machine: type[HostMachine], *, steps: int) -> None:
    """Let a machine try to break its law."""
    with asyncio.Runner() as runner:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: machine(runner),
            settings=settings(
                max_examples=100,
                stateful_step_count=steps,
                derandomize=True,
                database=None,
                phases=(Phase.generate, Phase.shrink),  # to explain takes longer than the rest
            ),
        )
