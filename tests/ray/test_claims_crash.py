"""kill -9 of a host in the middle of claiming: no task, and no subject, goes to two agents."""

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

import pytest

from pinak_ray import Swarm, connect
from pinak_ray.client.over_ray.transport import RayTransport
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.board.tasks import TaskStatus
from pinak_ray.records.state.owners import Owner, Space
from tests.ray.test_crashes import kill
from tests.support.waiting import until

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

CLIENTS = 4
AGENTS = 4  # of each client
TASKS = 200
SUBJECTS = 60
# No lease ends while the test runs, so a second grant can only be an error.
LEASE_S = 3_600


async def test_no_task_goes_to_two_agents_over_a_crash(stack_settings: Settings) -> None:
    """Every task is granted once and finished once, by the agent who was told that it has it."""
    project = f"claims-{uuid4().hex}"
    swarms = [connect(home=stack_settings.home, project=project) for _ in range(CLIENTS)]
    board = swarms[0].board("plan")
    for title in range(TASKS):
        await board.add_task(f"{title}", author="ann", ack="accepted")
    granted: defaultdict[UUID, list[str]] = defaultdict(list)

    async def work(swarm: Swarm, author: str) -> None:
        mine = swarm.board("plan")
        while (claim := await mine.claim(author=author, lease_s=LEASE_S)).granted:
            assert claim.task is not None
            granted[claim.task].append(author)
            await mine.finish(claim.task, author=author, output=author, version=claim.version)

    workers = [
        asyncio.create_task(work(swarm, f"agent-{client}-{n}"))
        for client, swarm in enumerate(swarms)
        for n in range(AGENTS)
    ]
    await until(lambda: len(granted) > TASKS // 10, what="the work has begun")
    await kill(host_of(swarms[0], "plan"))
    await asyncio.gather(*workers)
    shown = (await board.tasks()).tasks

    assert len(granted) == len(shown) == TASKS
    assert {len(authors) for authors in granted.values()} == {1}
    assert {task.status for task in shown} == {TaskStatus.COMPLETED}
    assert {task.id: [task.output] for task in shown} == granted
    assert {task.id: [past.author for past in task.history] for task in shown} == granted


async def test_no_subject_goes_to_two_agents_over_a_crash(stack_settings: Settings) -> None:
    """All agents ask for each subject at once; one of them is to do it, before and after."""
    project = f"claims-{uuid4().hex}"
    swarms = [connect(home=stack_settings.home, project=project) for _ in range(CLIENTS)]
    granted: defaultdict[str, list[str]] = defaultdict(list)

    async def work(swarm: Swarm, author: str) -> None:
        board = swarm.board("plan")
        for number in range(SUBJECTS):
            subject = f"subject {number}"
            claim = await board.claim_once(subject, author=author, lease_s=LEASE_S)
            if claim.granted:
                granted[subject].append(author)
            assert (claim.holder == author) == claim.granted

    workers = [
        asyncio.create_task(work(swarm, f"agent-{client}-{n}"))
        for client, swarm in enumerate(swarms)
        for n in range(AGENTS)
    ]
    await until(lambda: len(granted) > SUBJECTS // 10, what="the asking has begun")
    await kill(host_of(swarms[0], "plan"))
    await asyncio.gather(*workers)

    assert {len(authors) for authors in granted.values()} == {1}
    assert len(granted) == SUBJECTS


def host_of(swarm: Swarm, board: str) -> str:
    """Return the name of the board's host."""
    assert isinstance(swarm.transport, RayTransport)
    owner = Owner(swarm.namespace_id, Space.BOARD, board)
    return swarm.transport.topology.placement.host_of(owner)
