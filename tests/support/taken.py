"""The state of agents, under a host that has just taken its shards."""

from collections.abc import Iterable

from pinak_ray.agents.host import Host, Snapshot
from pinak_ray.records.state.owners import SHARDS, Owner
from pinak_ray.records.topology import Placement
from pinak_ray.store.agent_state import AgentState
from pinak_ray.store.database import Database

ALONE = Placement(1, ("host-0",))
EVERY = frozenset(range(SHARDS))


async def taken(
    database: Database, host: str = "host-0", shards: Iterable[int] = EVERY
) -> AgentState:
    """Return the store of a host that took these shards."""
    state = AgentState(database, host, ALONE)
    await state.take(shards)
    return state


async def loaded(state: AgentState, owner: Owner) -> Snapshot:
    """Return what is stored of one owner."""
    (snapshot,) = await state.load([owner])
    return snapshot


def a_host_over(state: AgentState, **options: int) -> Host:
    """Return a host that serves what its store has taken."""
    return Host(state, ALONE, frozenset(state.epochs), **options)
