"""Pauses between tries."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.concurrency.backoff import backoff


def test_pauses_double_up_to_the_last() -> None:
    """The first try comes soon, and none later than the last pause."""
    assert list(islice(backoff(0.1, 1.0), 6)) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(st.floats(0.01, 1), st.floats(1, 60), st.floats(0, 0.9))
def test_a_spread_draws_around_each_pause(first: float, last: float, spread: float) -> None:
    """Who failed together tries again apart, but never at once and never much later."""
    drawn = islice(backoff(first, last, spread=spread), 12)
    for exact, pause in zip(backoff(first, last), drawn, strict=False):
        assert exact * (1 - spread) * 0.999 <= pause <= exact * (1 + spread) * 1.001
