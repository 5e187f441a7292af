"""Claims over PostgreSQL: a grant holds at the next host, and a zombie host grants nothing."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

import pytest

from pinak_ray.agents.host import Host
from pinak_ray.records.board.claims import ClaimOnce, SubjectClaim
from pinak_ray.records.board.tasks import AddTask, ClaimTask, Finish, TaskClaim, Tasks
from pinak_ray.records.commands import Command
from pinak_ray.records.errors import PinakError
from pinak_ray.records.operations import Execute, Origin, Query
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.store.database import Database
from tests.support.taken import a_host_over, taken

pytestmark = pytest.mark.postgres

BOARD = Owner(7, Space.BOARD, "plan")


def a_command(author: str, command: Command) -> Execute[Any]:
    """Return the operation of a command."""
    return Execute(BOARD, uuid4(), author, command)


async def test_a_zombie_host_gives_nothing_away(database: Database) -> None:
    """Agents claim at the old host and at the one that took its shards, at the same time."""
    old = a_host_over(await taken(database))
    await old.apply([a_command("ann", AddTask(title=f"{n}")) for n in range(20)])
    granted: defaultdict[UUID | str, list[str]] = defaultdict(list)

    async def claim(host: Host, author: str) -> None:
        for command in (ClaimTask(), ClaimOnce(subject="who locks orders?")):
            (answer,) = await host.apply([a_command(author, command)])
            match answer:
                case (
                    TaskClaim(granted=True, task=UUID() as what)
                    | SubjectClaim(granted=True, subject=what)
                ):
                    granted[what].append(author)
                case PinakError():
                    assert author.startswith("old")

    await asyncio.gather(*(claim(old, f"before-{n}") for n in range(5)))
    new = a_host_over(await taken(database, "host-1"))
    racing = [
        (host, f"{name}-{n}") for name, host in (("old", old), ("new", new)) for n in range(8)
    ]
    await asyncio.gather(*(claim(host, author) for host, author in racing))
    (shown,) = await new.apply([Query(BOARD, Tasks())])

    assert {len(authors) for authors in granted.values()} == {1}
    del granted["who locks orders?"]
    held = {task.id: [task.lease.holder] for task in shown.tasks if task.lease is not None}
    assert held == granted
    assert len(held) == 5 + 8


async def test_a_claim_that_is_retried_at_the_next_host_is_the_same(database: Database) -> None:
    """The answer was lost with its host; the retry finds the task that was granted, no second."""
    first = a_host_over(await taken(database))
    await first.apply([a_command("ann", AddTask(title=f"{n}")) for n in range(3)])
    claim, origin = a_command("bob", ClaimTask()), Origin(uuid4(), 1)
    (lost,) = await first.apply([claim], origin)
    second = a_host_over(await taken(database, "host-1"))
    (again,) = await second.apply([claim], origin, retried=True)
    finish = a_command("bob", Finish(task=again.task, version=lost.version))
    origin = Origin(origin.lane, 2)
    (over,) = await second.apply([finish], origin)
    third = a_host_over(await taken(database, "host-2"))
    (repeated,) = await third.apply([finish], origin, retried=True)

    assert (again.granted, again.task, again.version) == (True, lost.task, lost.version)
    assert (over.new, repeated.id) == (True, over.id)
