"""The verdict on watchers: what counts as missed, out of order and twice, and who is back when."""

import pytest

from benchmarks.boards.verdict import Seen, Verdict, judge, latencies_ms, recovery_s


def seen(*deliveries: tuple[int, int], posted: float = 10.0, after_s: float = 0.25) -> Seen:
    """Return a watcher that had these (post, seq), one posted each second, each a while later."""
    watcher = Seen()
    for at, (post, seq) in enumerate(deliveries):
        watcher.add(post, seq, posted + at, posted + at + after_s)
    return watcher


def test_watchers_that_had_everything_in_order_have_no_fault() -> None:
    """Also a post that nobody acknowledged may be there: it was committed, its receipt was lost."""
    everything = [(7, 1), (8, 2), (9, 4)]

    assert judge([7, 9], [seen(*everything)] * 2) == Verdict(6, 0, 0, 0)
    assert judge([], []) == Verdict()


@pytest.mark.parametrize(
    ("deliveries", "verdict"),
    [
        ([(7, 1), (9, 3)], Verdict(2, 1, 0, 0)),
        ([(7, 1), (9, 3), (8, 2)], Verdict(3, 0, 1, 0)),
        ([(7, 1), (8, 2), (9, 3), (9, 4)], Verdict(4, 0, 0, 1)),
        ([(7, 1), (8, 2), (8, 2), (9, 3)], Verdict(4, 0, 1, 1)),
        ([], Verdict(0, 3, 0, 0)),
    ],
    ids=["missed", "out of order", "stored twice", "delivered twice", "heard nothing"],
)
def test_each_fault_is_told_from_the_others(
    deliveries: list[tuple[int, int]], verdict: Verdict
) -> None:
    """And is counted once for every watcher that has it."""
    faultless = seen((7, 1), (8, 2), (9, 3))

    assert judge([7, 8, 9], [seen(*deliveries)]) == verdict
    assert judge([7, 8, 9], [faultless, seen(*deliveries)]) == verdict._replace(
        deliveries=verdict.deliveries + 3
    )


def test_latency_is_from_the_call_of_the_post() -> None:
    """Over the deliveries of all watchers."""
    watchers = [seen((7, 1), (8, 2), after_s=0.25), seen((7, 1), (8, 2), after_s=0.5)]

    assert latencies_ms(watchers) == {"watch_p50_ms": 500.0, "watch_p95_ms": 500.0}
    assert latencies_ms(watchers[:1])["watch_p95_ms"] == 250.0


def test_it_is_back_when_the_last_watcher_hears_of_a_post_that_began_after_the_kill() -> None:
    """What was on its way when the host died does not count, and one that is deaf is not back."""
    early, late = seen((7, 1), (8, 2)), seen((7, 1), (8, 2), after_s=3.0)

    assert recovery_s(10.5, [early, late]) == 3.5
    assert recovery_s(10.5, [early]) == 0.75
    assert recovery_s(10.5, [early, seen((7, 1))]) is None
