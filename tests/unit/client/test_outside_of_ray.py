"""A handle in a process that has not joined the stack says so, and Ray starts nothing for it."""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import ray

from pinak_ray.client import AgentHandle
from pinak_ray.client.over_ray.session import join_ray
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.client.swarm import Swarm
from pinak_ray.records.errors import InvalidInput, NotRunning
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.records.topology import Placement, Topology
from pinak_ray.store.models.embedding_models import RegisteredModel


@pytest.fixture
def agent() -> AgentHandle:
    """A handle over Ray, as a pickle brings it to a process outside."""
    topology = Topology(
        Placement(1, ("host-0",)), ("writer-0",), ("recaller-0",), ("indexer-0",), None
    )
    transport = RayTransport(topology, RegisteredModel(1, "m", "1", 3))
    return Swarm(NamespaceKey("t", "p"), 1, 3, transport).agent("a")


VERBS: dict[str, Callable[[AgentHandle], Any]] = {
    "note": lambda agent: agent.note("k", 1),
    "remember": lambda agent: agent.remember("x"),
    "recall": lambda agent: agent.recall("x"),
    "intend": lambda agent: agent.intend("x"),
    "context": lambda agent: agent.context(),
    "watch": lambda agent: anext(agent.watch()),
    "note.remote": lambda agent: agent.note.remote("k", 1),
    "remember.remote": lambda agent: agent.remember.remote("x"),
    "recall.remote": lambda agent: agent.recall.remote("x"),
    "context.remote": lambda agent: agent.context.remote(),
    "watch.remote": lambda agent: agent.watch.remote(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_to_do(agent: AgentHandle, verb: str) -> None:
    """On both lanes it is NotRunning at once, not after half a minute; Ray stays out of it."""

    async def use() -> None:
        await VERBS[verb](agent)

    assert not ray.is_initialized()
    with pytest.raises(NotRunning, match=r"pinak_ray\.connect\(\).*url="):
        asyncio.run(use())
    assert not ray.is_initialized()


def test_a_fresh_process_says_so_too(agent: AgentHandle) -> None:
    """An unpickled handle in a process of its own, as in a spawned pool, is told the same."""
    code = """
import asyncio, pickle, sys
agent = pickle.loads(bytes.fromhex(sys.argv[1]))
try:
    asyncio.run(agent.note("k", 1))
except Exception as error:
    print(type(error).__name__)
import ray
print(ray.is_initialized())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(agent).hex()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["NotRunning", "False"]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "localhost:1"])
def test_a_dead_address_is_told_at_once(address: str) -> None:
    """Nobody there is heard before Ray begins to ask for minutes."""
    with pytest.raises(NotRunning, match="no Ray cluster answers"):
        join_ray(address, {})
    assert not ray.is_initialized()


def test_no_ray_is_started_on_demand() -> None:
    """`local` is Ray's word for a cluster of its own: that is not joined."""
    with pytest.raises(InvalidInput, match="pinak-ray up"):
        join_ray("local", {})
    assert not ray.is_initialized()
