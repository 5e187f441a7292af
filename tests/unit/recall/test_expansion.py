"""Links without a database: what may be asked, and how an expansion ranks."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinak_ray.recall.expansion import LINK, with_neighbours
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.links import Link, LinkKind, Related, change_link, new_related
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.recall import Hit, RecallResult, Trace, new_recall
from pinak_ray.testing import LocalSwarm
from tests.support.graphs import plainly_related, random_links

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)


def hit(score: float) -> Hit:
    """Return a hit of this score."""
    return Hit(uuid4(), "x", score, Layer.SEMANTIC, "ada", None, (), None, NOW, NOW, {})


def neighbour(strength: float) -> Related:
    """Return a memory behind a path of this strength."""
    link = Link(ONE, TWO, LinkKind.FIXES, strength, "ada", NOW)
    return Related(hit(strength), strength, 1, link)


STRENGTHS = st.lists(st.floats(0.001, 1.0), max_size=8).map(lambda all_: sorted(all_, reverse=True))


@given(
    scores=st.lists(st.floats(-5, 5), min_size=1, max_size=5),
    strengths=STRENGTHS,
    floor=st.none() | st.floats(-6, 6),
)
def test_neighbours_stand_behind_the_hits(
    scores: list[float], strengths: list[float], floor: float | None
) -> None:
    """The hits stay as they are, scores never rise, and none added is below the floor."""
    result = RecallResult(tuple(map(hit, sorted(scores, reverse=True))))
    found = [neighbour(strength) for strength in strengths]
    whole = with_neighbours(result, found, min_score=floor)
    added = whole.hits[len(result.hits) :]

    assert whole.hits[: len(result.hits)] == result.hits
    assert [each.score for each in whole.hits] == sorted(
        (each.score for each in whole.hits), reverse=True
    )
    assert [each.id for each in added] == [each.hit.id for each in found[: len(added)]]
    assert all(floor is None or each.score >= floor for each in added)
    assert all(each.signals == () for each in added)


def test_a_traced_neighbour_says_how_strong_its_path_is() -> None:
    """Its one signal contributes its whole score."""
    trace = Trace("default", "zscore", {}, {}, 1, 1, None, {})
    whole = with_neighbours(RecallResult((hit(2.0),), trace), [neighbour(0.75)], min_score=None)
    (signal,) = whole.hits[1].signals

    assert (signal.name, signal.score, signal.rank) == (LINK, 0.75, 1)
    assert signal.contribution == whole.hits[1].score == 1.5


def test_likeness_has_no_direction() -> None:
    """Whichever way it is said, it is one link; other kinds have a direction."""
    ways = [(ONE, TWO), (TWO, ONE)]
    similar = {change_link(7, "ada", *way, "similar", 1.0).key for way in ways}
    caused = {change_link(7, "ada", *way, "caused_by", 1.0).id for way in ways}

    assert (len(similar), len(caused)) == (1, 2)


BAD: list[Any] = [
    lambda: change_link(7, "ada", ONE, ONE, "fixes", 1.0),
    lambda: change_link(7, "ada", "one", TWO, "fixes", 1.0),
    lambda: change_link(7, "ada", ONE, TWO, "loves", 1.0),
    lambda: change_link(7, "ada", ONE, TWO, "fixes", 0.0),
    lambda: change_link(7, "ada", ONE, TWO, "fixes", 1.1),
    lambda: change_link(7, "ada", ONE, TWO, "fixes", float("nan")),
    lambda: new_related(ONE, depth=0),
    lambda: new_related(ONE, depth=5),
    lambda: new_related(ONE, depth=True),
    lambda: new_related(ONE, min_strength=-0.1),
    lambda: new_related(ONE, kinds=["loves"]),
    lambda: new_related(ONE, k=0),
    lambda: new_related("one"),
    lambda: new_recall("x", expand=5),
    lambda: new_recall("x", expand=-1),
]


@pytest.mark.parametrize("ask", BAD)
def test_bad_input_is_refused(ask: Any) -> None:
    """Depth, strength, kind and id have their bounds."""
    with pytest.raises(InvalidInput):
        ask()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 4), floor=st.sampled_from([0.0, 0.3]))
async def test_the_twin_walks_as_plainly(seed: int, depth: int, floor: float) -> None:
    """On random graphs the twin finds what an enumeration of paths finds."""
    async with LocalSwarm() as swarm:
        ada = swarm.agent("ada")
        ids = [(await ada.remember(f"{n} " * 3)).id for n in range(10)]
        links = random_links(seed, ids)
        for (start, end, kind), strength in links.items():
            await ada.link(start, end, kind, strength=strength)
        kinds = [LinkKind.CAUSED_BY, LinkKind.SUPPORTS, LinkKind.FOLLOWS]
        bounds = {"depth": depth, "min_strength": floor, "kinds": kinds}
        found = await ada.related(ids[0], k=200, **bounds)

    assert {each.hit.id: (each.strength, each.depth) for each in found} == plainly_related(
        links, ids[0], **bounds
    )
