"""The trace accounts for every score, in every recipe."""

import math
from datetime import UTC, datetime

import pytest

from pinak_ray import RecallResult, Swarm
from pinak_ray.recall.recipes import RECIPES
from pinak_ray.testing import LocalSwarm

QUERY = "when did Caroline paint the lake in May 2023?"


async def painted() -> Swarm:
    """Return a swarm whose memories differ in every signal."""
    swarm = LocalSwarm()
    may = datetime(2023, 5, 8, tzinfo=UTC)
    caroline, melanie = swarm.agent("Caroline"), swarm.agent("Melanie")
    await caroline.remember("I paint the lake", session="s", occurred_at=may)
    await melanie.remember("when did you paint the lake in May 2023?", session="s")
    await melanie.remember("a lake of mercury", occurred_at=may)
    await caroline.remember(f"she asked: {QUERY.upper()} yesterday")
    return swarm


@pytest.mark.parametrize("recipe", RECIPES)
async def test_contributions_add_up_to_the_score(recipe: str) -> None:
    """Nothing but the signals makes a score, and each has the trace's weight."""
    result = await (await painted()).agent("reader").recall(QUERY, recipe=recipe, trace=True)

    assert result.trace is not None
    assert result.hits
    for hit in result.hits:
        assert [signal.name for signal in hit.signals] == list(result.trace.weights)
        ordered_by = hit.fused if RECIPES[recipe].is_fused else hit.score
        assert ordered_by is not None
        assert math.isclose(
            ordered_by, math.fsum(one.contribution for one in hit.signals), abs_tol=1e-9
        )
        assert all(one.weight == result.trace.weights[one.name] for one in hit.signals)


async def test_what_is_added_unfused_is_told() -> None:
    """The named agent, the date and the question show what they add or take."""
    result = await (await painted()).agent("reader").recall(QUERY, trace=True)
    adds = {hit.content: {one.name: one.contribution for one in hit.signals} for hit in result.hits}
    lake, question = adds["I paint the lake"], adds["when did you paint the lake in May 2023?"]

    assert (lake["agent"], lake["date"], lake["question"]) == (1.0, 1.0, 0.0)
    assert (question["agent"], question["date"], question["question"]) == (0.0, 0.0, -0.5)


async def test_it_counts_what_was_found() -> None:
    """Candidates by signal, the different ones, and the hits of all pages."""
    ada = (await painted()).agent("ada")
    first = await ada.recall("lake", k=1, trace=True)
    floored = await ada.recall("lake", recipe="lexical", min_score=1e6, trace=True)

    assert first.trace is not None
    assert (len(first.hits), first.trace.fused, first.trace.kept) == (1, 4, 4)
    assert floored.trace is not None
    assert (floored.trace.candidates, floored.trace.kept) == ({"lexical": 4}, 0)
    assert (floored.trace.min_score, floored.cursor) == (1e6, None)


async def test_rrf_takes_its_constant() -> None:
    """rrf_k makes 1 / (k + rank), and is refused where no ranks are fused."""
    ada = (await painted()).agent("ada")
    tuned = await ada.recall("mercury", recipe="rrf", rrf_k=1, trace=True)
    usual = await ada.recall("mercury", recipe="rrf", trace=True)

    def reciprocals(result: RecallResult) -> list[float]:
        return [signal.contribution for signal in result.hits[0].signals]

    assert (reciprocals(tuned), reciprocals(usual)) == ([1 / 2] * 2, [1 / 61] * 2)
    assert [one.trace and one.trace.rrf_k for one in (tuned, usual)] == [1, 60]


async def test_a_recall_of_nothing_has_a_trace_too() -> None:
    """Where there is no memory at all, the trace says so."""
    result = await LocalSwarm().agent("ada").recall("lake", trace=True)

    assert result.trace is not None
    assert (result.hits, result.trace.fused, result.trace.kept) == ((), 0, 0)
