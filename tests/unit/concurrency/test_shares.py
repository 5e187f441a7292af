"""Shares: whoever comes finds places, whatever one has taken before."""

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.concurrency.shares import Shares


def test_one_alone_has_half_and_two_a_third_each() -> None:
    """What is left is for who comes next."""
    shares = Shares(12)
    alone = sum(shares.take("a") for _ in range(12))
    after = sum(shares.take("b") for _ in range(12))
    for _ in range(alone):
        shares.give("a")

    assert (alone, after, shares.taken) == (6, 3, 3)
    assert sum(shares.take("b") for _ in range(12)) == 3
    assert shares.take("c")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 300)), max_size=60))
def test_a_newcomer_finds_a_place(asked: list[tuple[int, int]]) -> None:
    """However a few have asked, one more is let in, and giving back leaves nothing behind."""
    shares = Shares(1_024)
    held = [(whose, places) for whose, places in asked if shares.take(whose, places)]

    assert shares.take("new")
    shares.give("new")
    for whose, places in held:
        shares.give(whose, places)
    assert shares == Shares(1_024)
