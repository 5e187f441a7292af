"""How many it takes to silence a warning: more than one voice, however weak the evidence is."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.nudges.evidence import Evidence
from pinak_ray.nudges.failures import FLOOR, choose
from pinak_ray.nudges.usefulness import SILENCING_VOICES, weight
from pinak_ray.records.memory.memories import Outcome


def failure(similarity: float, *, against: int = 0) -> Evidence:
    """Return a failure that so many voices call useless."""
    row = {"id": uuid4(), "outcome": Outcome.FAILURE}
    said = weight(-float(against), against)
    return Evidence(row, similarity, 0.0, 0.0, weight=said, voices=against)  # type: ignore[arg-type]


@given(st.floats(FLOOR, 1.0))
def test_one_voice_lowers_a_warning_and_silences_none(similarity: float) -> None:
    """The weakest evidence that warns at all still does; its strength says what was said."""
    one = failure(similarity, against=1)
    assert choose([one], 1) == [one]
    assert one.score < similarity


@given(st.floats(0.0, FLOOR, exclude_max=True))
def test_what_was_silent_stays_so(similarity: float) -> None:
    """A voice against it makes no warning of what was none."""
    assert choose([failure(similarity, against=1)], 1) == []


def test_from_two_on_they_silence_what_is_weak_and_three_silence_all() -> None:
    """What is said by several is heard in full."""
    assert SILENCING_VOICES == 2
    assert choose([failure(0.6, against=2)], 1) == []
    assert choose([failure(1.0, against=3)], 1) == []


def test_what_lies_below_the_floor_hides_none() -> None:
    """A failure that would not be shown itself takes no place of one that is."""
    quiet, weighed = failure(0.44), failure(0.5, against=1)
    assert choose(sorted([quiet, weighed], key=lambda each: -each.score), 1) == [weighed]
