"""The contract of recall: filters, pages, recipes and the trace are the same on every wire."""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pinak_ray import InvalidInput, RecallResult, Swarm
from pinak_ray.recall.recipes import RECIPES

DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contents(result: RecallResult) -> list[str]:
    """Return what was found, best first."""
    return [hit.content for hit in result.hits]


async def test_labels_narrow_a_recall(swarm: Swarm) -> None:
    """Tags all, at least one or none of them, entities all, and any mix with the rest."""
    ada = swarm.agent("ada")
    await asyncio.gather(
        ada.remember("one", tags=["a"], entities=["orders"], occurred_at=DAY),
        ada.remember("two", tags=["a", "b ü"], entities=["orders", "db7"], outcome="failure"),
        ada.remember("three", tags=["c"], outcome="failure", occurred_at=DAY + HOUR),
        ada.remember("four"),
    )
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({"tags": ["a", "b ü"]}, {"two"}),
        ({"any_tags": ["b ü", "c"]}, {"two", "three"}),
        ({"no_tags": ["a"]}, {"three", "four"}),
        ({"tags": ["a"], "no_tags": ["b ü", "c"]}, {"one"}),
        ({"any_tags": ["a", "c"], "no_tags": ["b ü"], "outcome": "failure"}, {"three"}),
        ({"tags": ["a"], "any_tags": ["c"]}, set()),
        ({"entities": ["orders"]}, {"one", "two"}),
        ({"entities": ["orders", "db7"], "tags": ["a"]}, {"two"}),
        ({"entities": ["db"]}, set()),
        ({"since": DAY, "until": DAY + HOUR}, {"one"}),
        ({"since": DAY + HOUR, "until": DAY + 2 * HOUR}, {"three"}),
    ]

    assert expected == [
        (options, set(contents(await ada.recall(recipe="recent", **options))))
        for options, _ in expected
    ]


async def test_as_of_answers_what_was_believed_then(swarm: Swarm) -> None:
    """A memory answers as of its writing and later, not before it."""
    ada = swarm.agent("ada")
    before = datetime.now(UTC)
    await ada.remember("orders are locked", occurred_at=DAY)
    after = datetime.now(UTC)

    assert (await ada.recall("orders", as_of=before)).hits == ()
    assert contents(await ada.recall("orders", as_of=after.isoformat())) == ["orders are locked"]


async def test_as_of_sees_what_was_revised_since(swarm: Swarm) -> None:
    """Before a revision the old one is believed, now the new one: never both."""
    ada = swarm.agent("ada")
    old = await ada.remember("orders are locked")
    before = datetime.now(UTC)
    await ada.revise(old.id, "orders are open")

    for recipe in ("lexical", "exact", "recent"):
        then = await ada.recall("orders", recipe=recipe, as_of=before)
        assert contents(then) == ["orders are locked"]
        assert contents(await ada.recall("orders", recipe=recipe)) == ["orders are open"]


@pytest.mark.parametrize("recipe", ["default", "rrf", "recent", "exact"])
async def test_pages_hold_each_hit_once(swarm: Swarm, recipe: str) -> None:
    """Page by page, of changing sizes, comes what one recall brings at once, in its order."""
    ada = swarm.agent("ada")
    await asyncio.gather(
        *(
            ada.remember(
                f"orders are locked {'again ' * n}", tags=["x"] * (n % 2), ack="searchable"
            )
            for n in range(14)
        )
    )
    whole = await ada.recall("orders are locked", k=50, recipe=recipe, tags=["x"])
    pages = [await ada.recall("orders are locked", k=2, recipe=recipe, tags=["x"])]
    while pages[-1].cursor is not None:
        size = len(pages) + 1
        pages.append(
            await ada.recall(
                "orders are locked", k=size, recipe=recipe, tags=["x"], cursor=pages[-1].cursor
            )
        )

    assert (len(whole.hits), whole.cursor) == (7, None)
    assert [hit.id for page in pages for hit in page.hits] == [hit.id for hit in whole.hits]
    assert [len(page.hits) for page in pages] == [2, 2, 3]


async def test_recent_needs_no_query(swarm: Swarm) -> None:
    """The newest by when it occurred comes first; a query, if given, says nothing."""
    ada = swarm.agent("ada")
    for hours in (1, 3, 2):
        await ada.remember(f"hour {hours}", occurred_at=DAY + hours * HOUR)
    latest = ["hour 3", "hour 2", "hour 1"]

    assert contents(await ada.recall(recipe="recent")) == latest
    assert contents(await ada.recall("kittens", recipe="recent", k=2)) == latest[:2]
    assert contents(await ada.recall(recipe="recent", until=DAY + 3 * HOUR)) == latest[1:]


async def test_exact_finds_the_words_in_their_order(swarm: Swarm) -> None:
    """In any case and however spaced, newest first; the same words in another order are not it."""
    ada = swarm.agent("ada")
    await ada.remember("a Lock\n TIMEOUT on orders", occurred_at=DAY)
    await ada.remember("lock timeout", occurred_at=DAY + HOUR)
    await ada.remember("timeout of a lock", occurred_at=DAY)
    await ada.remember("a lock without timeout", occurred_at=DAY)
    found = contents(await ada.recall("  lock \t timeout", recipe="exact"))

    assert found == ["lock timeout", "a Lock\n TIMEOUT on orders"]


async def test_the_trace_accounts_for_every_score(swarm: Swarm) -> None:
    """A score is the sum of its signals' contributions; steps are timed, candidates counted."""
    ada = swarm.agent("ada")
    await ada.remember("orders are locked", ack="searchable")
    await ada.remember("kittens are asleep", ack="searchable")
    result = await ada.recall("what did ada say of orders?", recipe="default", trace=True)
    trace = result.trace

    assert trace is not None
    assert (trace.recipe, trace.fusion, trace.rrf_k) == ("default", "zscore", None)
    assert trace.weights == RECIPES["default"].signal_weights()
    assert trace.candidates.keys() == RECIPES["default"].weights.keys()
    assert (trace.kept, trace.fused >= trace.kept) == (len(result.hits), True)
    assert trace.timings_ms.keys() >= {"embed", "fuse"}
    for hit in result.hits:
        shares = math.fsum(signal.contribution for signal in hit.signals)
        assert hit.fused is not None
        assert math.isclose(hit.fused, shares, abs_tol=1e-6)
        assert hit.score == hit.relevance


async def test_rrf_takes_its_constant(swarm: Swarm) -> None:
    """The best of both lists has 2 / (k + 1), and a floor applies to what that is worth."""
    ada = swarm.agent("ada")
    await ada.remember("orders are locked", ack="searchable")
    result = await ada.recall("orders", recipe="rrf", rrf_k=9, trace=True)

    assert [round(hit.fused or 0, 9) for hit in result.hits] == [0.2]
    assert result.trace is not None
    assert result.trace.rrf_k == 9
    (hit,) = result.hits
    floor = min(hit.score + 0.001, 1.0)
    assert (await ada.recall("orders", recipe="rrf", rrf_k=9, min_score=floor)).hits == ()


BAD: dict[str, dict[str, Any]] = {
    "no query": {},
    "an empty query": {"query": "", "recipe": "recent"},
    "rrf_k of a recipe without ranks": {"query": "x", "rrf_k": 60},
    "rrf_k out of range": {"query": "x", "recipe": "rrf", "rrf_k": 0},
    "the future": {"query": "x", "as_of": "2999-01-01T00:00:00+00:00"},
    "a time without a zone": {"query": "x", "as_of": "2026-01-01T00:00:00"},
    "one tag as text": {"query": "x", "any_tags": "orders"},
    "no cursor": {"query": "x", "cursor": "AAAA"},
    "times the wrong way round": {"query": "x", "since": DAY, "until": DAY},
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_input_is_the_same_error(swarm: Swarm, what: str) -> None:
    """Whatever breaks the contract raises InvalidInput, on each wire."""
    with pytest.raises(InvalidInput):
        await swarm.agent("ada").recall(**BAD[what])


async def test_a_cursor_is_of_its_query_only(swarm: Swarm) -> None:
    """Another query, another filter: InvalidInput."""
    ada = swarm.agent("ada")
    for n in range(3):
        await ada.remember(f"orders {n}")
    cursor = (await ada.recall("orders", k=1, recipe="lexical")).cursor

    assert cursor is not None
    for other in ({"query": "order"}, {"recipe": "recent"}, {"tags": ["a"]}):
        with pytest.raises(InvalidInput, match="cursor"):
            await ada.recall(**{"query": "orders", "recipe": "lexical", "cursor": cursor, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", ["recent", "exact", "lexical", "dense"])
async def test_one_signal_is_walked_to_the_last_memory(swarm: Swarm, recipe: str) -> None:
    """However many there are, of equal times or not: each once, and only the last page says so."""
    ada = swarm.agent("ada")
    await asyncio.gather(
        *(
            ada.remember(
                f"walked {n}", tags=["w"], ack="searchable", occurred_at=DAY + HOUR * (n % 3)
            )
            for n in range(260)
        )
    )
    found: list[RecallResult] = []
    while not found or found[-1].cursor is not None:
        cursor = found[-1].cursor if found else None
        size = (90, 1, 200)[len(found) % 3]
        found.append(await ada.recall("walked", k=size, recipe=recipe, tags=["w"], cursor=cursor))

    assert sorted(contents(page)[at] for page in found for at in range(len(page.hits))) == sorted(
        f"walked {n}" for n in range(260)
    )
    assert [len(page.hits) for page in found] == [90, 1, 169]
    if recipe in ("recent", "exact"):
        times = [hit.occurred_at for page in found for hit in page.hits]
        assert times == sorted(times, reverse=True)


async def test_a_full_page_says_whether_there_is_more(swarm: Swarm) -> None:
    """The largest page there is has a cursor where one more memory follows, and none where not."""
    ada = swarm.agent("ada")
    await asyncio.gather(*(ada.remember(f"counted {n}") for n in range(200)))
    assert (await ada.recall(recipe="recent", k=200)).cursor is None
    await ada.remember("one more")
    page = await ada.recall(recipe="recent", k=200)
    assert page.cursor is not None
    (last,) = (await ada.recall(recipe="recent", k=200, cursor=page.cursor)).hits
    assert last.id not in {hit.id for hit in page.hits}
