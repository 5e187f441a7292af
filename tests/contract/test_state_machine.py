"""The twin and the stack, driven by the same operations, cannot be told apart."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from pinak_ray import PinakError, Receipt, Swarm, VersionConflict, connect
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.memory.memories import Layer, Outcome
from pinak_ray.records.memory.recall import RecallResult
from pinak_ray.records.state.owners import Entry, EntryKind, WorkingItem
from pinak_ray.testing import LocalSwarm

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

AGENTS = st.sampled_from(["ada", "team/ü"])
KEYS = st.sampled_from(["plan", "a/ü 🦜"])
ACKS = st.sampled_from(["accepted", "durable"])
VERSIONS = st.none() | st.integers(0, 3)
RETRIES = st.none() | st.sampled_from(["first", "second"])
WORDS = st.sampled_from(
    ["order", "Orders", "deploying", "deploy", "the", "migration-42", "42", "dry-run", "run"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
VALUES = st.none() | st.integers(-9, 9) | st.dictionaries(KEYS, st.booleans(), max_size=2)
# One at a time, or next to nothing would be found.
FILTERS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"layers": st.lists(st.sampled_from(Layer), min_size=1, max_size=2)}),
    st.fixed_dictionaries({"agents": st.lists(AGENTS, min_size=1, max_size=1)}),
    st.fixed_dictionaries({"tags": st.lists(KEYS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"any_tags": st.lists(KEYS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"no_tags": st.lists(KEYS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"entities": st.lists(KEYS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"sessions": st.just(["s"])}),
    st.fixed_dictionaries({"outcome": st.sampled_from(Outcome)}),
)
CURSORS = {"after": st.integers(0, 3), "limit": st.integers(1, 4)}


class TwinAndStack(RuleBasedStateMachine):
    """Each rule does the same in both, and compares what comes back."""

    def __init__(self, stack: Settings, runner: asyncio.Runner) -> None:
        super().__init__()
        project = f"machine-{uuid4().hex}"
        self.real: Swarm = connect(home=stack.home, project=project)
        self.twin: Swarm = LocalSwarm(project=project)
        self.runner = runner
        self.twin_ids: dict[UUID, UUID] = {}
        self.remembered: list[UUID] = []

    def compare(self, verb: Callable[[Swarm], Awaitable[Any]]) -> Any:
        """Carry it out in both, hold the twin's result or error to the stack's, and return that."""

        async def carried_out(swarm: Swarm) -> Any:
            return await verb(swarm)  # what is refused before it is sent is an error as well

        async def both() -> Any:
            both = (carried_out(self.real), carried_out(self.twin))
            return await asyncio.gather(*both, return_exceptions=True)

        there, here = self.runner.run(both())

        assert seen(there) == seen(here)
        for one, other in zip(ids(there), ids(here), strict=True):
            assert self.twin_ids.setdefault(one, other) == other
        return there

    @rule(
        agent=AGENTS,
        key=KEYS,
        value=VALUES,
        expected_version=VERSIONS,
        idempotency_key=RETRIES,
        ack=ACKS,
    )
    def note(self, agent: str, key: str, value: Any, **options: Any) -> None:
        self.compare(lambda swarm: swarm.agent(agent).note(key, value, **options))

    @rule(agent=AGENTS, key=st.none() | KEYS)
    def recollect(self, agent: str, key: str | None) -> None:
        self.compare(lambda swarm: swarm.agent(agent).recollect(key))

    @rule(agent=AGENTS, budget=st.integers(1, 20))
    def context(self, agent: str, budget: int) -> None:
        self.compare(lambda swarm: swarm.agent(agent).context(budget))

    @rule(
        agent=AGENTS,
        content=TEXTS,
        kind=st.sampled_from([EntryKind.TASK, EntryKind.EXAMPLE, EntryKind.FINDING]),
        idempotency_key=RETRIES,
        ack=ACKS,
    )
    def post_to_scratchpad(self, agent: str, content: str, **options: Any) -> None:
        self.compare(lambda swarm: swarm.agent(agent).scratchpad.post(content, **options))

    @rule(agent=AGENTS, kinds=st.lists(st.sampled_from(EntryKind), max_size=2), **CURSORS)
    def read_scratchpad(self, agent: str, **options: Any) -> None:
        self.compare(lambda swarm: swarm.agent(agent).scratchpad.read(**options))

    @rule(author=AGENTS, content=TEXTS, idempotency_key=RETRIES, ack=ACKS)
    def post_finding(self, content: str, **options: Any) -> None:
        self.compare(lambda swarm: swarm.board("b").post(content, **options))

    @rule(
        author=AGENTS, content=TEXTS, key=KEYS, expected_version=VERSIONS, idempotency_key=RETRIES
    )
    def post_public(self, content: str, **options: Any) -> None:
        self.compare(lambda swarm: swarm.board("b").post(content, kind="public", **options))

    @rule(kinds=st.lists(st.sampled_from(EntryKind), max_size=2), **CURSORS)
    def read_board(self, **options: Any) -> None:
        self.compare(lambda swarm: swarm.board("b").read(**options))

    @rule(
        agent=AGENTS,
        content=TEXTS,
        session=st.none() | st.just("s"),
        layer=st.sampled_from(Layer),
        tags=st.lists(KEYS, max_size=2),
        entities=st.lists(KEYS, max_size=2),
        outcome=st.none() | st.sampled_from(Outcome),
        idempotency_key=RETRIES,
    )
    def remember(self, agent: str, content: str, **options: Any) -> None:
        receipt = self.compare(lambda swarm: swarm.agent(agent).remember(content, **options))
        if isinstance(receipt, Receipt):
            self.remembered.append(receipt.id)

    @rule(place=st.integers(0, 9))
    def forget(self, place: int) -> None:
        """What was stored last, mostly; its idempotency key is free from then on."""
        if self.remembered:
            there = self.remembered[-1 - place % len(self.remembered)]
            here = self.twin_ids[there]
            self.compare(
                lambda swarm: swarm.agent("ada").forget(there if swarm is self.real else here)
            )

    @rule(query=TEXTS, recipe=st.sampled_from(["lexical", "recent", "exact"]), filters=FILTERS)
    def recall(self, query: str, recipe: str, filters: dict[str, Any]) -> None:
        self.compare(
            lambda swarm: swarm.agent("reader").recall(query, recipe=recipe, k=200, **filters)
        )

    @rule()
    def close_the_twin(self) -> None:
        """Its agents are let go; the next use loads what was acknowledged."""
        self.runner.run(self.twin.aclose())


def seen(result: Any) -> Any:
    """Return what must be equal on both sides: all but ids, times and scores."""
    match result:
        case VersionConflict():
            return VersionConflict, result.args
        case PinakError():
            return type(result), str(result)
        case Receipt():
            return result.ack, result.new, result.version
        case RecallResult():
            hits = result.hits
            return sorted((hit.content, hit.agent, hit.tags, str(hit.session)) for hit in hits)
        case tuple():
            return [_fields(one) for one in result]
        case _:
            return result


def _fields(one: Any) -> Any:
    match one:
        case WorkingItem():
            return one.key, one.value, one.version
        case Entry():
            return one.seq, one.kind, one.author, one.key, one.content, one.version
        case _:
            return one


def ids(result: Any) -> Iterable[UUID]:
    """Return the ids in a result, in an order that both sides share."""
    match result:
        case Receipt():
            return [result.id]
        case RecallResult():
            return []
        case tuple():
            return [one.id for one in result if isinstance(one, Entry)]
        case _:
            return []


def test_they_do_the_same(stack_settings: Settings) -> None:
    """Versions, new flags, sequence numbers, found contents and errors are the same."""
    with asyncio.Runner() as runner:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: TwinAndStack(stack_settings, runner),
            settings=settings(
                max_examples=40,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
