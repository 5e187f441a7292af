"""The contract of copies: memories of one content are one hit, on every wire."""

import asyncio
from typing import Any

import pytest

from pinak_ray import RecallResult, Swarm
from pinak_ray.client.handles.agent import AgentHandle

COPIED = "the harbour gate sticks in frost"
INTENT = "deploy of harbour with the image tag missing"
OTHERS = [f"the harbour crane {what}" for what in ("rusts", "moved", "was sold", "hums", "leans")]


async def _stored(swarm: Swarm, copies: int) -> AgentHandle:
    ada = swarm.agent("ada")
    for content in (COPIED, *OTHERS):
        await ada.remember(content, ack="searchable")
    await asyncio.gather(*(ada.remember(COPIED, ack="searchable") for _ in range(copies - 2)))
    # Of those that are stored at once none is the newest: two gateways number them.
    await ada.remember(COPIED, ack="searchable")
    return ada


async def _walked(ada: AgentHandle, **asked: Any) -> list[RecallResult]:
    pages, cursor = [], None
    while True:
        pages.append(await ada.recall(**asked, cursor=cursor))
        cursor = pages[-1].cursor
        if cursor is None:
            return pages
        assert len(pages) < 40


@pytest.mark.parametrize("recipe", ["default", "rrf", "linear", "lexical", "dense"])
async def test_a_text_is_shown_once_and_says_how_often(swarm: Swarm, recipe: str) -> None:
    """A page has as many different texts as there are; the newest of equals is shown."""
    ada = await _stored(swarm, copies=12)
    hits = (await ada.recall("harbour gate", k=6, recipe=recipe)).hits

    assert [hit.copies for hit in hits if hit.content == COPIED] == [12]
    if recipe != "dense":  # a vector alone may have no evidence of the others
        assert {hit.content for hit in hits} == {COPIED, *OTHERS}
    each = (await ada.recall("harbour gate", k=50, recipe=recipe, every_copy=True)).hits
    newest = max(hit.created_at for hit in each if hit.content == COPIED)
    assert next(hit.created_at for hit in hits if hit.content == COPIED) == newest
    assert sum(hit.content == COPIED for hit in each) == 12
    assert {hit.copies for hit in each} == {1}


@pytest.mark.parametrize("recipe", ["default", "lexical", "dense"])
@pytest.mark.parametrize("k", [1, 2, 4])
async def test_pages_show_each_text_once(swarm: Swarm, recipe: str, k: int) -> None:
    """No text comes on two pages, none is left out, and only the last page is not full."""
    ada = await _stored(swarm, copies=5)
    pages = await _walked(ada, query="harbour gate", k=k, recipe=recipe)

    contents = [hit.content for page in pages for hit in page.hits]
    assert len(contents) == len(set(contents))
    assert all(len(page.hits) == k for page in pages[:-1])
    whole = await ada.recall("harbour gate", k=50, recipe=recipe, every_copy=True)
    assert set(contents) == {hit.content for hit in whole.hits}


@pytest.mark.parametrize("recipe", ["recent", "exact"])
async def test_what_is_listed_by_time_is_listed_whole(swarm: Swarm, recipe: str) -> None:
    """There each memory is an event of its own, however often it says the same."""
    ada = await _stored(swarm, copies=4)
    pages = await _walked(ada, query=COPIED, k=3, recipe=recipe)

    ids = [hit.id for page in pages for hit in page.hits]
    assert len(ids) == len(set(ids)) == (9 if recipe == "recent" else 4)


async def test_filters_choose_among_copies(swarm: Swarm) -> None:
    """What does not pass is neither shown nor counted."""
    ada, bob = swarm.agent("ada"), swarm.agent("bob")
    first = await ada.remember(COPIED, tags=["old"], ack="searchable")
    await bob.remember(COPIED, ack="searchable")

    hits = (await ada.recall("harbour gate", tags=["old"])).hits
    assert [(hit.id, hit.copies) for hit in hits] == [(first.id, 1)]


async def test_nudges_and_context_say_it_once(swarm: Swarm) -> None:
    """Three nudges are three messages, and a context has no line twice."""
    ada = swarm.agent("ada")
    failed = "deploy of harbour failed: the image tag was missing"
    for content in (*[failed] * 4, "deploy of harbour failed: migration 7 locks ships"):
        await ada.remember(content, outcome="failure", layer="episodic", ack="searchable")
    said = [nudge.message for nudge in await ada.intend(INTENT, k=3)]
    assert said
    assert len(set(said)) == len(said)

    again = await ada.intend(INTENT, k=3)
    assert not {nudge.message for nudge in again} & set(said)
    text = (await ada.context(800, query="deploy of harbour")).text
    assert text.count(failed) == 1
