"""Relevance: what it is made of does not depend on who else is there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.relevance.calibration import calibration_error
from benchmarks.relevance.fit import fitted
from pinak_ray.recall.relevance.features import FEATURES, OF_MEANING, features, question_of
from pinak_ray.recall.relevance.relevance import falling, likelihoods
from pinak_ray.recall.relevance.weights import load_weights

ROWS = [
    {"content": "Imogen audited the ledger of Quay 9", "agent": "ada"},
    {"content": "the ledger of Quay 8 is lost", "agent": "bob"},
    {"content": "港口的账本丢失了", "agent": "bob"},
    {"content": "rain fell", "agent": "ada"},
]
COSINES = np.array([0.7, 0.6, 0.1, 0.0])
NONE = np.full(len(ROWS), np.nan)
NO = np.zeros(len(ROWS))


def column(query: str, name: str) -> list[float]:
    """Return one feature of all rows."""
    seen = features(question_of(query), ROWS, COSINES, COSINES, asks=NO, dated=NO)
    return [round(float(each), 3) for each in seen[:, FEATURES.index(name)]]


def test_words_numbers_and_phrases_are_seen() -> None:
    """Stems begin words; another number is missing; a phrase is whole words in their order."""
    assert column("audits of ledgers", "cover") == [1.0, 0.5, 0.0, 0.0]
    assert column("the ledger of Quay 9", "missing_numbers") == [0.0, 1.0, 1.0, 1.0]
    assert column("ledger of Quay", "phrase") == [1.0, 1.0, 0.0, 0.0]
    assert column("账本丢失", "cover")[2] == 1.0
    assert column("hi, good morning", "small_talk") == [1.0] * 4
    assert column("what did Ada say of rain?", "other_agent") == [0.0, 1.0, 1.0, 0.0]


def test_a_memory_is_as_relevant_alone_as_in_company() -> None:
    """No row changes what another is worth."""
    query = "who audited the ledger of Quay 9?"

    def of(places: list[int], own: np.ndarray) -> list[float]:
        rows, no = [ROWS[at] for at in places], NO[places]
        found = likelihoods(
            query, rows, own[places], own[places], asks=no, dated=no, knows=lambda _: True
        )
        return [round(float(each), 12) for each in found]

    for own in (COSINES, NONE):
        whole = of([0, 1, 2, 3], own)
        assert [of([at], own)[0] for at in range(4)] == whole
        assert max(whole) == whole[0] > 5 * whole[3]
    says_it = likelihoods(
        ROWS[1]["content"], ROWS, NONE, NONE, asks=NO, dated=NO, knows=lambda _: False
    )
    assert says_it[1] == 1.0


def test_words_alone_have_weights_of_their_own() -> None:
    """Where no meaning was compared no feature of it counts."""
    weights = load_weights()
    assert not any(weights.words[FEATURES.index(name)] for name in OF_MEANING)
    assert weights.meaning[FEATURES.index("own_cosine")] > 0


@given(st.lists(st.floats(0, 1), max_size=20))
def test_relevance_never_rises_down_a_page(chances: list[float]) -> None:
    """A hit is as relevant as the best at or behind it, and the best is what it was."""
    found = falling(np.array(chances)).tolist()
    assert found == [max(chances[at:]) for at in range(len(chances))]


def test_a_fit_finds_what_made_the_answers() -> None:
    """Of answers drawn by known weights these are found again, and are calibrated."""
    source = np.random.default_rng(0)
    seen = np.column_stack([np.ones(20_000), source.normal(size=(20_000, 2))])
    chances = 1 / (1 + np.exp(-seen @ np.array([-1.0, 2.0, 0.0])))
    answers = (source.random(len(seen)) < chances).astype(np.float64)
    found = fitted(seen, answers, np.ones(len(seen)))
    assert np.abs(found - [-1.0, 2.0, 0.0]).max() < 0.1
    assert calibration_error(1 / (1 + np.exp(-seen @ found)), answers) < 0.02
    assert calibration_error(np.full(4, 0.9), np.array([0.0, 0.0, 0.0, 0.0])) > 0.8
