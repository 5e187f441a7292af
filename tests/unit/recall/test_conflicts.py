"""Which memories disagree with each other, and which do not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from pinak_ray.recall.grading.conflicts import Statement, conflicts

START = datetime(2026, 1, 1, tzinfo=UTC)


def said(*texts: str) -> list[Statement]:
    """Return statements, each a day after the one before."""
    return [
        Statement(UUID(int=at), text, START + timedelta(days=at), START)
        for at, text in enumerate(texts)
    ]


DISAGREE = [
    ("The API gateway listens on port 8443.", "The API gateway listens on port 9443."),
    ("The orders service runs in eu-west-1.", "The orders service was moved to us-east-1."),
    ("The cache cluster has 24 nodes.", "By now the cache cluster has 12 nodes."),
    ("The billing release is on 12 May 2026.", "The billing release is on 19 May 2026."),
    ("The billing release is due on 12 June.", "The billing release was postponed to 19 June."),
    ("The contract ends in 2026.", "The contract ends in 2027."),
    ("The audit starts on 2026-05-12.", "We talked. The audit starts on 2026-06-01."),
]
AGREE = [
    ("The API gateway listens on port 8443.", "The API gateway listens on port 8443."),
    ("The API gateway listens on port 8443.", "The mail server listens on port 25."),
    ("The orders service ran in eu-west-1.", "The orders service runs in us-east-1."),
    ("Never deploy on Fridays.", "deploy billing to production this Friday afternoon"),
    ("The billing release is on 12 May.", "The orders release is on 19 May."),
    ("The billing release is in May.", "The billing release is on 19 May 2026."),
    ("The freeze starts on 12 May.", "The freeze ends on 19 May."),
    ("The backup ran on 12 May.", "The backup ran on 13 May."),
    ("The release was on 12 May 2025.", "The release is on 19 May 2026."),
    ("Bob likes tea.", "Bob likes coffee."),
]


@pytest.mark.parametrize(("earlier", "later"), DISAGREE)
def test_another_value_or_date_of_one_thing_disagrees(earlier: str, later: str) -> None:
    """The later statement holds, in whatever order the two are given."""
    one, two = said(earlier, later)
    for given in ([one, two], [two, one]):
        (conflict,) = conflicts(given)
        assert (conflict.later, conflict.earlier) == (two.id, one.id)
        assert "known as" in conflict.differs


@pytest.mark.parametrize(("earlier", "later"), AGREE)
def test_other_things_and_past_events_do_not(earlier: str, later: str) -> None:
    """The same value, another subject, another event, a rule that was broken: no conflict."""
    assert conflicts(said(earlier, later)) == ()


def test_the_latest_of_many_values_holds() -> None:
    """Each pair that differs is named, the latest first."""
    ports = [f"The API gateway listens on port {port}." for port in (1001, 1002, 1003)]
    found = conflicts(said(*ports))

    assert [(each.later.int, each.earlier.int) for each in found] == [(2, 1), (2, 0), (1, 0)]


def test_only_the_first_few_are_compared() -> None:
    """A long list costs no more than its most relevant part."""
    texts = ["lunch is at noon"] * 10 + ["The API gateway listens on port 8443."]

    assert conflicts(said("The API gateway listens on port 9443.", *texts)) == ()
