"""The soak's verdict: what counts as growth, and whose memory it reads."""

import os

from benchmarks.processes import memory_by_part
from benchmarks.soak import growth, report


def series(start: float, per_minute: float) -> list[tuple[float, float]]:
    """Return ten minutes of samples that grow this fast."""
    return [(float(at), start + per_minute * at / 60) for at in range(600)]


def test_a_leak_is_seen_and_a_wobble_is_not() -> None:
    """A steady MiB a minute on 50 is no longer flat after ten minutes; an arena's worth is."""
    leak = growth(series(50, 2), 600)
    steady = [(at, size + (at % 7) / 3) for at, size in series(50, 0)]

    assert (leak["flat"], leak["slope_mib_per_min"]) == (False, 2.0)
    assert leak["last_mib"] - leak["first_mib"] > 13
    assert growth(steady, 600)["flat"]


def test_the_load_is_not_the_stack() -> None:
    """What the measuring processes hold is told, and neither summed nor judged."""
    mib = 1 << 20
    samples = [(at, {"writer": 50.0 * mib, "load": (50 + at) * mib}) for at, _ in series(0, 0)]
    told = report(samples, {"ray": {"note": 3}}, 600)

    assert (told["flat"], told["ratio"], told["ours"]) == (True, 1.0, 50.0)
    assert told["parts"]["load"]["flat"] is False
    assert told["operations"] == {"ray": {"note": 3}}


def test_memory_is_read_of_a_process_and_all_below_it() -> None:
    """This process is found, under no part's name, with a believable size."""
    assert 10 << 20 < sum(memory_by_part([os.getpid()]).values()) < 10 << 30
    assert memory_by_part([]) == {}
