"""What agents said makes a weight: bounded, monotone, and 1 where nobody said anything."""

from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.nudges.failures import FLOOR
from pinak_ray.nudges.usefulness import explain, weight

VOICES = st.lists(st.floats(-1, 1), max_size=50)
STRONGEST = 1.4


def weight_of(voices: list[float]) -> float:
    """The weight that so many agents' voices make."""
    return weight(sum(voices), len(voices))


def test_without_feedback_nothing_changes() -> None:
    """Not almost 1: a score is exactly what it was, and its reason says nothing."""
    assert weight(0.0, 0) == 1.0
    assert explain(0.0, 0) == ""


@given(VOICES)
def test_the_weight_is_bounded(voices: list[float]) -> None:
    """However many speak, a memory rises by a tenth at most and never turns negative."""
    assert 0.0 <= weight_of(voices) <= 1.1


@given(VOICES)
def test_a_further_voice_moves_it_its_own_way(voices: list[float]) -> None:
    """One more agent for it never lowers the weight, one more against it never raises it."""
    assert weight_of([*voices, -1.0]) <= weight_of(voices) <= weight_of([*voices, 1.0])


@given(VOICES.filter(bool), st.floats(0, 1))
def test_a_better_word_in_place_of_another_never_lowers_it(
    voices: list[float], more: float
) -> None:
    """An agent that thinks better of a memory does not make it weigh less."""
    better = [min(voices[0] + more, 1.0), *voices[1:]]
    assert weight_of(better) >= weight_of(voices) - 1e-9


def test_several_silence_and_one_does_not() -> None:
    """One voice alone leaves strong evidence above the floor; three of three silence any."""
    assert STRONGEST * weight_of([-1.0]) > FLOOR
    assert STRONGEST * weight_of([-1.0] * 3) < FLOOR
    assert weight_of([-1.0] * 3 + [1.0] * 3) == 1.0


def test_the_reason_says_so() -> None:
    """Who reads a nudge learns that feedback counted, and how."""
    assert explain(-1.5, 2) == ", weighed 0.69 by the feedback of 2 agents, -1.5 in sum"
