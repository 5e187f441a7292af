"""The contract of relevance: it means the same in every corpus, on every wire."""

import asyncio

import pytest

from pinak_ray import InvalidInput, Swarm
from pinak_ray.recall.recipes import RECIPES

TEXT = "the ledger of Quay 9 was audited on Tuesday by Imogen"
OTHERS = [f"{what} {where}" for what in ("a gull sat", "rain fell", "a crate stood", "someone sang")
          for where in ("near the mast", "behind the shed", "under the bridge")]  # fmt: skip
FUSED = [name for name, recipe in RECIPES.items() if recipe.is_fused]
COMPARING = [name for name in RECIPES if name != "recent"]


@pytest.mark.parametrize("recipe", FUSED)
async def test_a_match_scores_the_same_alone_and_among_others(swarm: Swarm, recipe: str) -> None:
    """A lone perfect match passes a floor, and company changes nothing of what it scores."""
    ada = swarm.agent("ada")
    await ada.remember(TEXT, ack="searchable")
    scores = []
    for company in ([], OTHERS[:3], OTHERS[3:]):
        await asyncio.gather(*(ada.remember(other, ack="searchable") for other in company))
        hits = (await ada.recall(TEXT, recipe=recipe, min_score=0.1)).hits
        assert hits[0].content == TEXT
        assert hits[0].score == hits[0].relevance
        scores.append(hits[0].score)
    assert min(scores) == max(scores) == 1.0


@pytest.mark.parametrize("recipe", COMPARING)
async def test_hits_say_how_likely_they_answer(swarm: Swarm, recipe: str) -> None:
    """In [0, 1], never rising down the page; a floor keeps those that reach it and no other."""
    ada = swarm.agent("ada")
    await asyncio.gather(*(ada.remember(text, ack="searchable") for text in (TEXT, *OTHERS)))
    query = "Quay 9" if recipe == "exact" else "who audited the ledger of Quay 9?"
    hits = (await ada.recall(query, recipe=recipe, k=20)).hits
    relevance = [hit.relevance for hit in hits]
    assert hits[0].content == TEXT
    assert all(each is not None and 0.0 <= each <= 1.0 for each in relevance)
    assert relevance == sorted(relevance, key=lambda each: -(each or 0.0))

    for floor in (0.0, relevance[0] or 0.0, 1.0):
        kept = (await ada.recall(query, recipe=recipe, k=20, min_relevance=floor)).hits
        assert [hit.id for hit in kept] == [h.id for h in hits if (h.relevance or 0.0) >= floor]


@pytest.mark.parametrize(
    "query", ["WQXZ BRRKT VVPL", "hello, how are you today?", "what is the capital of Peru?"]
)
async def test_nonsense_is_hardly_relevant(swarm: Swarm, query: str) -> None:
    """What asks for nothing here brings nothing, or less than half of what a question does."""
    ada = swarm.agent("ada")
    await asyncio.gather(*(ada.remember(text, ack="searchable") for text in (TEXT, *OTHERS)))
    sensible = (await ada.recall("who audited the ledger of Quay 9?", k=1)).hits[0].score
    hits = (await ada.recall(query, k=10)).hits
    assert all(hit.score < sensible / 2 for hit in hits)
    assert "memory," not in (await ada.context(500, query=query)).text


async def test_a_floor_is_a_number_from_0_to_1(swarm: Swarm) -> None:
    """And nothing that compares nothing has one."""
    ada = swarm.agent("ada")
    for floor in (-0.1, 1.1):
        with pytest.raises(InvalidInput, match="min_relevance"):
            await ada.recall("x", min_relevance=floor)
    with pytest.raises(InvalidInput, match="min_relevance"):
        await ada.recall(recipe="recent", min_relevance=0.5)
