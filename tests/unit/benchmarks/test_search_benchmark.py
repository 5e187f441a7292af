"""The search benchmark's own parts: its rows, its callers, and what it compares."""

import asyncio
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.__main__ import summary
from benchmarks.search.callers import Seen, Tally, call, medians
from benchmarks.search.corpus import Corpus, english_words
from benchmarks.search.loading import still_waiting
from benchmarks.search.namespace import Measured
from pinak_ray.embedding import HashingEmbedder, decode_halfvec

_WORDS = [first + second for first in "abcdefghij" for second in "klmnopqrst"]


async def corpus() -> Corpus:
    """Return a small corpus over invented words."""
    return await Corpus.make(HashingEmbedder(384), _WORDS, bases=40)


def test_english_words_are_whole_ones_commonest_first(tmp_path: Path) -> None:
    """Parts of words, marks, letters and other scripts are no words."""
    vocabulary = {"[UNK]": 0, "x": 1, "##ing": 4, "été": 5, "of": 3, "the": 2, "1999": 6}
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.write_text(json.dumps({"model": {"vocab": vocabulary}}), encoding="utf-8")
    assert english_words(tokenizer) == ["the", "of"]


async def test_rows_are_as_many_as_asked_the_same_each_time_and_of_length_one() -> None:
    """Any number, in batches of at most the given size; the seed decides all."""
    made = await corpus()
    batches = list(made.batches(95, 30, seed=7))
    assert [len(batch) for batch in batches] == [30, 30, 30, 5]
    assert batches == list((await corpus()).batches(95, 30, seed=7))
    assert batches != list(made.batches(95, 30, seed=8))
    rows = list(itertools.chain.from_iterable(batches))
    assert len({row.content for row in rows}) == len(rows)
    lengths = [np.linalg.norm(decode_halfvec(row.vector)) for row in rows]
    np.testing.assert_allclose(lengths, 1.0, atol=2e-3)  # half precision


async def test_a_row_is_nearest_to_the_sentence_that_it_varies() -> None:
    """The noise moves a vector, but not to where another sentence is nearer, in most cases."""
    made = await corpus()
    rows = next(made.batches(200, 200, seed=1))
    shared = [
        np.argmax(
            [len(set(row.content.split()) & set(_words_of(made, base))) for base in range(40)]
        )
        for row in rows
    ]
    nearest = np.argmax(
        np.stack([decode_halfvec(row.vector) for row in rows]) @ made.vectors.T, axis=1
    )
    assert np.mean(nearest == shared) > 0.8


def _words_of(made: Corpus, base: int) -> list[str]:
    return made.language.text(made.sentences[base][: made.lengths[base]]).split()


async def test_no_two_questions_are_of_one_sentence_before_all_had_their_turn() -> None:
    """So that no answer comes from a cache of near questions."""
    made = await corpus()
    asked = [set(query.split()) for query in itertools.islice(made.queries(3), 40)]
    owners = [
        {base for base in range(40) if words <= set(_words_of(made, base))} for words in asked
    ]
    assert all(owners)
    assert set.union(*owners) == set(range(40))


async def test_callers_ask_each_question_once_and_stop_at_the_count() -> None:
    """Eight callers share a turn's questions; the fewest memories of any answer are reported."""
    asked: list[str] = []

    async def ask(query: str) -> int:
        asked.append(query)
        await asyncio.sleep(0)
        return 10 - (query == "5")

    queries = map(str, itertools.count())
    tally = Tally()
    for _ in range(2):
        await call(ask, queries, tally, callers=8, count=20, seconds=60)
    assert asked == [str(number) for number in range(40)]
    assert len(tally.latencies) == 40
    assert tally.seen().fewest == 9


async def test_a_slow_way_is_asked_fewer_questions_but_at_least_one() -> None:
    """When the time is up no further question is asked."""

    async def ask(query: str) -> int:
        await asyncio.sleep(0.01)
        return 1

    asked = iter(["first", "second", "third"])
    await call(ask, asked, Tally(), callers=1, count=3, seconds=0.0)
    assert next(asked) == "second"


def test_backlogs_are_added_up_over_all_parts_and_only_those_that_are_left() -> None:
    """A part that does not say (an actor of another kind, one without segments) has none."""
    parts = {
        "indexer-0": {"queue_depth": 2, "unsettled": 0, "unsealed": 7},
        "indexer-1": {"queue_depth": 3, "unsettled": 0, "unsealed": None},
        "curator": {"pid": 1},
    }
    assert still_waiting(parts) == {"queue_depth": 5, "unsealed": 7}


def test_medians_are_taken_of_each_figure() -> None:
    """Not of the round in the middle."""
    rounds = [
        Seen(1.0, 9.0, 5.0, 10, 4.0), Seen(2.0, 7.0, 6.0, 10, 3.0), Seen(3.0, 8.0, 4.0, 10, 2.0)
    ]  # fmt: skip
    figures = {"p50_ms": 2.0, "p95_ms": 8.0, "qps": 5.0, "processor_ms": 3.0}
    assert medians(rounds) == figures


def test_ours_is_compared_round_by_round_and_the_largest_with_the_smallest() -> None:
    """Ratios are taken within a round: a slow moment of the machine slows both."""
    smallest, largest = Measured(), Measured()
    for slow in (1.0, 3.0, 1.0):
        for way, p50 in (("in_process", 6.0), ("by_hand", 5.0), ("by_hand_bm25", 8.0)):
            smallest.add(way, 1, Seen(p50 * slow, 0.0, 0.0, 10))
        smallest.add("http", 1, Seen(10.0 * slow, 0.0, 0.0, 10))
        largest.add("in_process", 1, Seen(12.0, 0.0, 0.0, 10))
    assert summary(smallest, largest) == pytest.approx({
        "ours": 6.0,
        "reference": 5.0,
        "ratio": 1.2,
        "spread": 0.0,
        "ratio_bm25": 0.75,
        "ratio_http": 2.0,
        "growth_p50": 2.0,
    })  # fmt: skip
