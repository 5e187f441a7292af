"""What must not differ: numbers, identifiers, names, order, dates, denials, case, scripts."""

from benchmarks.cache_pairs import differing, wrong_answers


def test_no_pair_shares_an_answer() -> None:
    """Of more than 2,000 pairs, each different in one thing, the cache confuses none."""
    asked, wrong = wrong_answers()
    assert all(one != other for _, one, other in differing())
    assert asked.total() >= 2_000
    assert wrong.total() == 0
