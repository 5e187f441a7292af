"""An intent says what the action itself says."""

from typing import Any

import pytest

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.nudges import MAX_NUDGES, check_nudge_count, new_intent


def test_a_bare_intent_is_its_text() -> None:
    """Without tool and arguments the text alone is searched with."""
    assert new_intent("deploy billing").search_text == "deploy billing"


def test_tool_and_argument_values_are_searched_with() -> None:
    """Nested values join the text; keys, booleans and nulls say nothing and stay out."""
    intent = new_intent(
        "deploy billing",
        tool="kubectl",
        arguments={"image": {"tags": ["v2", 7]}, "dry_run": False, "note": None, "rate": 0.5},
    )

    assert intent.search_text == "deploy billing kubectl v2 7 0.5"


def test_what_the_text_says_is_not_said_twice() -> None:
    """A value that stands in the text already is not repeated."""
    intent = new_intent("run kubectl on billing", tool="kubectl", arguments={"app": "billing"})

    assert intent.search_text == "run kubectl on billing"


def test_empty_values_add_nothing() -> None:
    """Empty strings, lists and objects leave the text as it is."""
    assert new_intent("deploy", arguments={"a": "", "b": [], "c": {}}).search_text == "deploy"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "x" * 8_193},
        {"text": "x", "tool": ""},
        {"text": "x", "arguments": {"a": object()}},
        {"text": "x", "arguments": {"a": "\x00"}},
    ],
)
def test_a_bad_intent_is_refused(wrong: dict[str, Any]) -> None:
    """Text, tool and arguments are checked before anything is sent."""
    with pytest.raises(InvalidInput):
        new_intent(**wrong)


@pytest.mark.parametrize("k", [0, -1, MAX_NUDGES + 1, True, 1.0, "1", None])
def test_an_absurd_count_of_nudges_is_refused(k: Any) -> None:
    """Only whole numbers from 1 to the limit count nudges."""
    with pytest.raises(InvalidInput, match="k is"):
        check_nudge_count(k)


@pytest.mark.parametrize("k", [1, MAX_NUDGES])
def test_the_ends_of_the_range_are_in_it(k: int) -> None:
    """One nudge and the most nudges may be asked for."""
    assert k == check_nudge_count(k)
