"""The load of the cache's benchmark: the same in every run, and really said otherwise."""

import pytest

from benchmarks.cache_load import generated, paraphrased, repeated
from benchmarks.datasets import Query

QUERY = "When did Ada paint the shed in May?"


@pytest.mark.parametrize(
    ("way", "said"),
    [
        (0, "When Ada paint shed in May?"),
        (1, "On what date did Ada paint the shed in May?"),
        (2, "In May, when did Ada paint the shed?"),
        (3, "Can you tell me when did Ada paint the shed in May?"),
        (4, "when did ada paint the shed in may"),
        (5, "When Ada paint shed in May?"),
    ],
)
def test_a_paraphrase_says_it_otherwise(way: int, said: str) -> None:
    """Each way is its own; they come round."""
    assert paraphrased(QUERY, way) == said


def test_a_way_that_changes_nothing_gives_way() -> None:
    """Whatever the query, it is said otherwise."""
    for way in range(5):
        assert paraphrased("Rollout failed", way) in {
            "Can you tell me rollout failed",
            "rollout failed",
        }


def test_a_repeated_load_asks_some_often() -> None:
    """The first of a hundred queries is asked far more often than one of the last."""
    queries = [Query(str(number), frozenset("x")) for number in range(100)]
    load = repeated(queries, 2000, seed=1)
    counts = sorted((load.count(query) for query in queries), reverse=True)
    assert load == repeated(queries, 2000, seed=1)
    assert counts[0] > 10 * counts[50] > 0


def test_the_generated_corpus_is_answerable() -> None:
    """Every question names entries that there are."""
    corpus = generated(60)
    assert corpus == generated(60)
    keys = {entry.key for entry in corpus.entries}
    assert len(corpus.queries) == 20
    assert all(query.relevant and query.relevant <= keys for query in corpus.queries)
