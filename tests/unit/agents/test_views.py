"""Views of large boards: beside the host's loop, in turn, and of the board as it was then."""

import asyncio
import threading
from typing import Any
from uuid import uuid4

import pytest

from pinak_ray.agents import views
from pinak_ray.agents.host import Host
from pinak_ray.agents.log.entry_log import EntryLog
from pinak_ray.records.board.progress import Markdown, Progress
from pinak_ray.records.errors import Overloaded
from pinak_ray.records.operations import Note, Post, Query
from pinak_ray.records.state.owners import EntryKind, Owner, Space
from pinak_ray.records.topology import Placement
from pinak_ray.testing.state import LocalState

BOARD, AGENT = Owner(7, Space.BOARD, "plan"), Owner(8, Space.AGENT, "ann")
ALONE = Placement(1, ("local",))
MANY = 300


def a_post(number: int) -> Post:
    """Return a post to the board."""
    return Post(BOARD, uuid4(), EntryKind.FINDING, "ada", f"finding {number}")


async def a_host() -> Host:
    """Return a host of a board with many findings."""
    host = Host(LocalState(), ALONE, ALONE.shards_of("local"))
    await host.apply([a_post(number) for number in range(MANY)])
    return host


async def test_others_are_served_while_a_large_view_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not made before another namespace's note is answered."""
    noted = threading.Event()
    show = views.show

    def late(log: EntryLog, *rest: Any) -> Any:
        assert noted.wait(timeout=60)
        return show(log, *rest)

    host = await a_host()
    monkeypatch.setattr(views, "show", late)
    viewed = asyncio.create_task(host.apply([Query(BOARD, Markdown())]))
    (receipt,) = await host.apply([Note(AGENT, "k", b"1", uuid4())])
    noted.set()
    (answer,) = await viewed

    assert receipt.new
    assert "finding 7" in answer.text


async def test_a_view_is_of_the_board_as_it_was_at_its_place() -> None:
    """In a batch, what is posted behind a view is not in it; what is posted before it is."""
    host = await a_host()
    progress = Query(BOARD, Progress())
    before, _, after = await host.apply([progress, a_post(MANY), progress])
    assert (before.findings, after.findings) == (MANY, MANY + 1)


async def test_too_many_views_are_refused_one_by_one() -> None:
    """A host takes no more than its line; what it took is shown."""
    host = await a_host()
    host.views.turns.in_line = 2
    answers = await host.apply([Query(BOARD, Progress())] * 8)
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 5
    assert sum(getattr(answer, "findings", 0) == MANY for answer in answers) == 3
