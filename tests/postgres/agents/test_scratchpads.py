"""Scratchpads over PostgreSQL: they outlive their host, and can be counted."""

from typing import Any

import pytest

from pinak_ray.agents.host import Host
from pinak_ray.records.commands import Command, View
from pinak_ray.records.ids import uuid7
from pinak_ray.records.operations import Execute, Query
from pinak_ray.records.scratchpad.entities import Mention, OneEntity, SplitEntity, Timeline
from pinak_ray.records.scratchpad.parts import FindExample, Observe, Reason, RecordExample
from pinak_ray.records.scratchpad.quality import Quality
from pinak_ray.records.scratchpad.thoughts import Edge, EdgeKind, Think, Thoughts, VerifyReasoning
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from pinak_ray.store.stats import scratchpad_figures
from tests.support.taken import a_host_over, taken

pytestmark = pytest.mark.postgres

ADA, EVE = Owner(7, Space.AGENT, "ada"), Owner(7, Space.AGENT, "eve")
ELSEWHERE = Owner(8, Space.AGENT, "ada")


async def does(host: Host, command: Command, owner: Owner = ADA) -> Any:
    """Carry out a command; return its receipt or answer."""
    operation: Execute[Any] = Execute(owner, uuid7(), owner.name, command)
    (result,) = await host.apply([operation])
    return result


async def shown(host: Host, view: View) -> Any:
    """Return a view."""
    query: Query[Any] = Query(ADA, view)
    (answer,) = await host.apply([query])
    return answer


async def test_a_scratchpad_outlives_its_host(database: Database) -> None:
    """Thoughts, entities and the quality are on the next host as they were on the first."""
    first = a_host_over(await taken(database, "host-0"))
    seen = await does(first, Observe(content="the lock is held", relevance=0.9))
    step = await does(first, Reason(content="it waits", premises=(seen.id,), confidence=0.8))
    edges = (Edge(kind=EdgeKind.SUPPORTS, to=step.id),)
    await does(first, Think(content="so say the logs", edges=edges))
    await does(first, Mention(name="Orders-DB", states={"health": "up"}, attributes={"v": [1, {}]}))
    await does(first, Mention(name="db-1", aliases=("orders-db",)))
    await does(first, SplitEntity(name="db-1", names=("Orders-DB",)))
    views = (
        Thoughts(),
        VerifyReasoning(),
        Quality(),
        OneEntity(called="orders-db"),
        Timeline(called="orders-db"),
    )
    before = [await shown(first, view) for view in views]
    await first.aclose()

    second = a_host_over(await taken(database, "host-0"))
    assert before == [await shown(second, view) for view in views]
    await second.aclose()


async def test_figures_count_scratchpads(database: Database) -> None:
    """Kinds, sizes and reuse are counted in one namespace; boards and details of no form do not
    count."""
    host = a_host_over(await taken(database, "host-0"))
    await does(host, Observe(content="seen"))
    await does(host, RecordExample(type="t", input="a b", output="c"))
    for _ in range(3):
        await does(host, FindExample(type="t", input="a b"))
    await does(host, RecordExample(type="t", input="x y", output="z"), EVE)
    await does(host, Observe(content="not counted"), ELSEWHERE)
    await host.aclose()
    figures = await scratchpad_figures(database, 7)

    assert figures.pop("bytes") > len("seen") + len("a b") + len("x y")
    assert figures == {
        "scratchpads": 2,
        "active": 2,
        "entries": 3,
        "kinds": {"example": 2, "observation": 1},
        "examples_found": 3,
        "templates": 0,
    }
    assert (await scratchpad_figures(database, 9))["scratchpads"] == 0
