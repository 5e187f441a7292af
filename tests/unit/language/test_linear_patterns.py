"""Texts of one long run are read once: no pattern tries a run again from each of its signs."""

import re

import pytest

from pinak_ray.language import prohibitions, values, words

LONG = 400


@pytest.mark.parametrize(
    ("pattern", "run", "end"),
    [(words._WORD, "1", "a"), (words._END, ".", " "), (words._END, "?!;", "\n")],
)
def test_a_run_is_tried_from_its_start_only(pattern: re.Pattern[str], run: str, end: str) -> None:
    """What a run's start did not match, no later sign of the run is asked for."""
    text = run * LONG + end
    assert [at for at in range(len(text)) if pattern.match(text, at) and at < len(text) - 1] == [0]


@pytest.mark.parametrize(
    ("pattern", "name", "number"), [(values._PORT, "a.", ":80"), (values._VERSION, "a+", " 1.2")]
)
def test_a_name_has_an_end(pattern: re.Pattern[str], name: str, number: str) -> None:
    """How far back a value's name reaches is bounded: each of its parts reads a bit only."""
    found = pattern.search(name * LONG + "bcd" + number)
    assert found is not None
    assert found["number"] == number.strip(" :")
    assert len(found[0]) < LONG


def test_a_deed_ends_in_a_word() -> None:
    """Blanks before "is forbidden" belong to no deed, so that they are walked once."""
    found = prohibitions._FORBIDDEN.match("a deploy" + " " * LONG + "is forbidden on fridays")
    assert found is not None
    assert found["deed"] == "a deploy"


def test_words_and_sentences_are_as_before() -> None:
    """What a run may begin with is what it always was."""
    assert words.stems("port8080 2fa ab12c 1.2.3 3d4") == {"port8080", "2fa", "ab12", "c", "3d"}
    assert list(words.sentences("One... Two?! v1.2; 3.\n\nfour")) == [
        "one",
        "two",
        "v1.2",
        "3",
        "four",
    ]
