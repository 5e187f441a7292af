"""Which memories say the same, and which of two is kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pinak_ray.curation.duplicates import Candidate, keep_one, says_the_same
from pinak_ray.records.memory.curation import Reason

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def a_candidate(
    number: int,
    content: str,
    *,
    strength: float = 0.5,
    age_days: float = 0,
    layer: str = "semantic",
    outcome: str | None = None,
) -> Candidate:
    """Return a memory as a merge sees it."""
    at = NOW - timedelta(days=age_days)
    return Candidate(UUID(int=number), layer, outcome, content, at, strength)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The gateway listens on port 8080.", "the gateway listens on port 8080"),
        ("Staging database is db7!", 'The "staging" database is db7'),
        ("deploys go\n through  the queue", "Deploys go through the queue."),
    ],
)
def test_form_does_not_matter(one: str, other: str) -> None:
    """Case, articles, spaces and punctuation around words say nothing."""
    assert says_the_same(one, other)
    assert says_the_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the gateway listens on port 8080", "the gateway listens on port 8081"),
        ("alice owns payments", "bob owns payments"),
        ("deploys on Fridays are allowed", "deploys on Fridays are not allowed"),
        ("migrate from mysql to postgres", "migrate from postgres to mysql"),
        ("the staging database is db-7", "the staging database is db-8"),
        ("the limit is 5", "the limit is -5"),
        ("orders is down", "orders is down?"),
        ("orders was down", "orders is down"),
        ("retries help", "retries rarely help"),
        ("it costs 5%", "it costs 5"),
    ],
)
def test_what_vectors_cannot_tell_apart_stays_apart(one: str, other: str) -> None:
    """A number, name, denial, tense, order or qualifier keeps two memories."""
    assert not says_the_same(one, other)
    assert not says_the_same(other, one)


def test_the_stronger_one_is_kept_then_the_newer() -> None:
    """Whichever is named first."""
    weak, strong = a_candidate(1, "x"), a_candidate(2, "x", strength=0.6, age_days=9)
    newer, older = a_candidate(3, "x"), a_candidate(4, "X.", age_days=1)

    assert keep_one(weak, strong, says_the_same) == (strong, weak, Reason.DUPLICATE)
    assert keep_one(strong, weak, says_the_same) == (strong, weak, Reason.DUPLICATE)
    assert keep_one(older, newer, says_the_same) == (newer, older, Reason.NEAR_DUPLICATE)


@pytest.mark.parametrize(
    "other", [a_candidate(2, "x", layer="episodic"), a_candidate(2, "x", outcome="failure")]
)
def test_layer_and_outcome_are_part_of_what_is_said(other: Candidate) -> None:
    """The same text in another layer or with another outcome is another memory."""
    assert keep_one(a_candidate(1, "x"), other, lambda *_: True) is None


def test_the_judge_can_be_replaced() -> None:
    """Who understands texts may take a paraphrase for the same, which the rules do not."""
    one, other = a_candidate(1, "orders is down"), a_candidate(2, "the orders service is not up")

    assert keep_one(one, other, says_the_same) is None
    assert keep_one(one, other, lambda *_: True) == (other, one, Reason.NEAR_DUPLICATE)
