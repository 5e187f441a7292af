"""The contract of reranking: a real endpoint orders the first hits, on every wire."""

import pytest

from pinak_ray import Swarm
from pinak_ray.client.handles.agent import AgentHandle
from pinak_ray.records.errors import InvalidInput
from tests.support.reranker import WRONG
from tests.support.waiting import until

# The server of the tests takes the longest text for the best answer.
TEXTS = [f"lighthouse {number}" + " and its keeper" * (number % 5) for number in range(24)]


async def _filled(swarm: Swarm) -> AgentHandle:
    ada = swarm.agent("ada")
    for text in TEXTS:
        await ada.remember(text, ack="searchable")
    return ada


async def test_the_first_hits_are_in_the_rerankers_order(swarm: Swarm) -> None:
    """Asked for, the first twenty are ordered anew; otherwise nothing changes."""
    ada = await _filled(swarm)
    plain = (await ada.recall("lighthouse keeper", k=24)).hits
    asked = await ada.recall("lighthouse keeper", k=24, rerank=True, trace=True)
    contents = [hit.content for hit in asked.hits]

    assert asked.degraded is None
    lengths = [len(text) for text in contents[:20]]
    assert lengths == sorted((len(hit.content) for hit in plain[:20]), reverse=True)
    assert contents[20:] == [hit.content for hit in plain[20:]]
    assert [hit.score for hit in asked.hits] == [hit.score for hit in plain]
    assert asked.hits[0].signals[-1].name == "rerank"
    again = (await ada.recall("lighthouse keeper", k=24, rerank=False)).hits
    assert [hit.id for hit in again] == [hit.id for hit in plain]


async def test_pages_are_slices_of_it(swarm: Swarm) -> None:
    """Page by page each hit comes once, in the order of the whole."""
    ada = await _filled(swarm)
    whole = (await ada.recall("lighthouse keeper", k=24, rerank=True)).hits
    walked, cursor = [], None
    for _ in TEXTS:
        page = await ada.recall("lighthouse keeper", k=7, rerank=True, cursor=cursor)
        walked += [hit.id for hit in page.hits]
        cursor = page.cursor
        if cursor is None:
            break

    assert walked == [hit.id for hit in whole]


@pytest.mark.parametrize("wrong", ["no JSON", "NaN", "an error"])
async def test_a_wrong_answer_changes_nothing_and_is_told(swarm: Swarm, wrong: str) -> None:
    """The hits keep their order, `degraded` says why, and it heals by itself."""
    assert wrong in WRONG
    ada = await _filled(swarm)
    query = f"lighthouse keeper {wrong}"
    plain = (await ada.recall(query, k=20)).hits
    told = await ada.recall(query, k=20, rerank=True)

    assert [hit.id for hit in told.hits] == [hit.id for hit in plain]
    assert told.degraded is not None
    assert "not reranked: the reranker does not answer" in told.degraded

    async def heals() -> bool:
        return (await ada.recall("lighthouse keeper", rerank=True)).degraded is None

    await until(heals, what="the reranker is asked again")


async def test_a_recipe_of_one_signal_has_its_own_order(swarm: Swarm) -> None:
    """There is nothing to rerank in what is listed by time."""
    with pytest.raises(InvalidInput, match="recent"):
        await swarm.agent("ada").recall(recipe="recent", rerank=True)
