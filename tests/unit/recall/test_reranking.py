"""Reranking: pages of a ranking whose first twenty are in another order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.recall.recipes import RECIPES
from pinak_ray.recall.reranking import RERANK, RERANKED, is_reranked, reranked
from pinak_ray.records.errors import InvalidInput, Unavailable
from pinak_ray.records.memory.memories import Layer
from pinak_ray.records.memory.recall import (
    Hit,
    RecallRequest,
    RecallResult,
    Signal,
    Trace,
    new_recall,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Judge:
    """Scores a text by the number that it ends with."""

    always = True

    def __init__(self, scores: Sequence[float] = (), why: str = "") -> None:
        self.by_number, self.why = scores, why
        self.asked: list[list[str]] = []

    async def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        self.asked.append(list(texts))
        if self.why:
            raise Unavailable(self.why)
        return [self.by_number[int(text.split()[-1])] for text in texts]


def hit(number: int, *, traced: bool) -> Hit:
    """Return the ranking's hit at a place."""
    score = 100.0 - number
    signals = (Signal("lexical", score, number + 1, 1.0, score),) if traced else ()
    return Hit(
        UUID(int=number + 1), f"text {number}", score, Layer.SEMANTIC, "ada", None, (), None,
        NOON, NOON, {}, signals=signals,
    )  # fmt: skip


def ranking(count: int) -> Any:
    """Return what gives the pages of a ranking of so many hits."""

    def ranked(*, request: RecallRequest) -> RecallResult:
        start, end = request.offset, request.offset + request.k
        hits = tuple(hit(number, traced=request.trace) for number in range(count))[start:end]
        trace = Trace("default", "zscore", {}, {}, count, count, None, {})
        cursor = request.cursor_to(end) if end < count else None
        return RecallResult(hits, trace if request.trace else None, cursor)

    return ranked


@given(
    st.integers(0, 70),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=70, max_size=70),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
async def test_pages_of_any_size_are_one_order(
    count: int, scores: list[float], sizes: list[int]
) -> None:
    """Each hit comes once: the first 20 as the model says, of equals as ranked, then the rest."""
    judge, ranked = Judge(scores), ranking(count)
    walked: list[Hit] = []
    cursor = None
    for size in [*sizes, *[100] * 3]:
        request = new_recall("which?", k=size, cursor=cursor)
        result = await reranked(ranked, request, judge)
        walked += result.hits
        cursor = result.cursor
        if cursor is None:
            break

    first = sorted(range(min(count, RERANKED)), key=lambda at: (-scores[at], at))
    assert [h.content for h in walked] == [f"text {at}" for at in [*first, *range(20, count)]]
    assert [h.score for h in walked] == [100.0 - at for at in range(count)]
    assert all(len(texts) <= RERANKED for texts in judge.asked)


async def test_a_trace_says_what_moved() -> None:
    """What hits are ordered by is the sum of their contributions, the reranker's among them."""
    result = await reranked(
        ranking(30), new_recall("which?", k=25, trace=True), Judge([float(n) for n in range(30)])
    )

    assert [hit.content for hit in result.hits[:2]] == ["text 19", "text 18"]
    for hit in result.hits:
        assert hit.score == pytest.approx(sum(each.contribution for each in hit.signals))
    moved = result.hits[0].signals[-1]
    assert (moved.name, moved.score, moved.rank) == (RERANK, 19.0, 1)
    assert result.trace is not None
    assert (result.trace.candidates[RERANK], result.trace.weights[RERANK]) == (20, 1.0)


async def test_without_an_answer_the_ranking_stays_and_says_so() -> None:
    """The page is that of the ranking, and `degraded` has the cause."""
    request = new_recall("which?", k=5)
    result = await reranked(ranking(12), request, Judge(why="it is down"))

    assert result == replace(ranking(12)(request=request), degraded="not reranked: it is down")


async def test_who_speaks_is_read_too_and_long_texts_are_cut() -> None:
    """An entry of a session is read with its speaker, as it is indexed; a book is not read."""
    judge = Judge([0.0] * 3)

    def ranked(*, request: RecallRequest) -> RecallResult:
        said = replace(hit(1, traced=False), session="s")
        book = replace(hit(2, traced=False), content="word " * 5_000 + "2")
        return RecallResult((said, book))

    with pytest.raises(ValueError, match="invalid literal"):  # what was cut ends with no number
        await reranked(ranked, new_recall("which?"), judge)
    assert judge.asked[0][0] == "ada: text 1"
    assert len(judge.asked[0][1]) == 4_000


@pytest.mark.parametrize(
    ("asked", "recipe", "configured", "is_on"),
    [
        (None, "default", None, False),
        (False, "default", True, False),
        (None, "default", True, True),
        (None, "default", False, False),
        (True, "rrf", False, True),
        (None, "exact", True, False),
        (None, "dense", True, False),
    ],
)
def test_who_is_reranked(
    asked: bool | None, recipe: str, configured: bool | None, is_on: bool
) -> None:
    """A request decides, or else the stack; recipes of one signal keep their order."""
    judge = None
    if configured is not None:
        judge = Judge()
        judge.always = configured
    request = new_recall("which?", recipe=recipe, rerank=asked)

    assert is_reranked(request, RECIPES[recipe], judge) is is_on


def test_asked_for_in_vain_says_what_to_do() -> None:
    """Where nobody reranks, or a recipe has its own order, the request is refused."""
    request = new_recall("which?", rerank=True)
    with pytest.raises(InvalidInput, match="PINAK_RERANK_URL"):
        is_reranked(request, RECIPES["default"], None)
    with pytest.raises(InvalidInput, match="'recent' has an order of its own"):
        is_reranked(request, RECIPES["recent"], Judge())
