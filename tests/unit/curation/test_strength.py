"""How strong a memory is: bounded, and monotone in all that is known of its use."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.curation.strength import Use, strength

UNIT = st.floats(0, 1)
USES = st.builds(Use, UNIT, st.integers(0, 10**12), st.floats(-1, 1e6), st.floats(-1, 1))
HALF_LIVES = st.floats(0.01, 1e5)


@given(USES, HALF_LIVES)
def test_strength_is_a_share(use: Use, half_life: float) -> None:
    """From 0 to 1, whatever is known, and also where clocks disagree about the last access."""
    assert 0.0 <= strength(use, half_life_days=half_life) <= 1.0


@dataclass(frozen=True)
class Grows:
    """What makes a memory stronger: a field, and which values it takes."""

    field: str
    values: Any
    sign: int = 1


@pytest.mark.parametrize(
    "grows",
    [
        Grows("salience", UNIT),
        Grows("accesses", st.integers(0, 10**9)),
        Grows("usefulness", st.floats(-1, 1)),
        Grows("idle_days", st.floats(0, 1e5), sign=-1),
    ],
    ids=lambda grows: grows.field,
)
@given(st.data(), USES, HALF_LIVES)
def test_strength_is_monotone(grows: Grows, data: Any, use: Use, half_life: float) -> None:
    """More salience, accesses or usefulness never weaken a memory; idle days never help."""
    low, high = sorted(data.draw(st.tuples(grows.values, grows.values)))
    weaker, stronger = (
        use._replace(**{grows.field: value}) for value in (low, high)[:: grows.sign]
    )

    assert strength(weaker, half_life_days=half_life) <= strength(
        stronger, half_life_days=half_life
    ) * (1 + 1e-12)


def test_a_memory_that_nobody_recalls_has_half_its_strength_after_the_half_life() -> None:
    """And the whole salience on its first day: no cold start."""
    assert strength(Use(0.5), half_life_days=30) == 0.5
    assert strength(Use(0.5, idle_days=30), half_life_days=30) == 0.25


def test_what_is_used_reaches_the_top() -> None:
    """Unlike the predecessor's, which ended at 0.6, and lasts longer the more it is recalled."""
    often = Use(0.5, accesses=1000)

    assert strength(often, half_life_days=30) > 0.99
    assert strength(often._replace(idle_days=30), half_life_days=30) > 0.9
