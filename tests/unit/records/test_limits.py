"""What is accepted at every border."""

import math
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.limits import (
    MAX_CONTENT_BYTES,
    MAX_DETAILS_BYTES,
    MAX_LABELS,
    MAX_NAME_BYTES,
    check_details,
    check_json,
    check_labels,
    check_name,
    check_number,
    check_text,
)


@pytest.mark.parametrize("text", ["a", "ünïcode", "日本語", "🦜", "a\nb\t", " x ", "\u200bx"])
def test_a_good_text_comes_back_unchanged(text: str) -> None:
    """What PostgreSQL can hold passes as it is."""
    assert text == check_text("content", text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("a\x00b", "NUL"),
        ("a\ud800b", "surrogate"),
        ("\udfff" * MAX_CONTENT_BYTES, "surrogate"),
        (None, "not NoneType"),
        (b"bytes", "not bytes"),
        (7, "not int"),
    ],
)
def test_a_bad_text_is_refused_with_its_reason(text: Any, reason: str) -> None:
    """Each text that cannot be stored is refused, and the message names field and reason."""
    with pytest.raises(InvalidInput, match=f"^content .*{reason}"):
        check_text("content", text)


@pytest.mark.parametrize("character", ["a", "é", "語", "🦜"])
def test_the_limit_counts_bytes(character: str) -> None:
    """The last text within the limit passes, one more character does not, whatever its width."""
    width = len(character.encode())
    fits = character * (MAX_CONTENT_BYTES // width)

    assert fits == check_text("content", fits)
    with pytest.raises(InvalidInput, match=f"limit is {MAX_CONTENT_BYTES}"):
        check_text("content", fits + character)


@given(st.text(alphabet=st.characters(), max_size=80), st.integers(1, 200))
def test_what_passes_can_be_stored(text: str, limit: int) -> None:
    """A text passes exactly when it is visible, valid Unicode without NUL, and short enough."""
    try:
        storable = len(text.encode()) <= limit and "\x00" not in text and bool(text.strip())
    except UnicodeEncodeError:
        storable = False
    try:
        check_text("text", text, limit=limit)
    except InvalidInput:
        passed = False
    else:
        passed = True

    assert storable == passed


def test_a_name_is_short() -> None:
    """A name of 256 bytes passes, one of 257 does not."""
    assert check_name("agent", "a" * MAX_NAME_BYTES) == "a" * MAX_NAME_BYTES
    with pytest.raises(InvalidInput, match="agent has 257 bytes"):
        check_name("agent", "a" * (MAX_NAME_BYTES + 1))


def test_labels_lose_repeats_and_keep_their_order() -> None:
    """Each label stays once, at its first place; any iterable will do."""
    assert check_labels("tags", iter(["b", "a", "b", "ä"])) == ("b", "a", "ä")


@pytest.mark.parametrize("labels", ["one", b"one", 7, None, ["ok", ""], ["ok", 1], ["a\x00"]])
def test_bad_labels_are_refused(labels: Any) -> None:
    """A lone string is not a list of labels, and each label must be a name."""
    with pytest.raises(InvalidInput, match="tags"):
        check_labels("tags", labels)


def test_labels_are_bounded() -> None:
    """As many labels as the limit pass, counted without repeats, and one more does not."""
    labels = [f"t{i}" for i in range(MAX_LABELS)]

    assert check_labels("tags", labels * 2) == tuple(labels)
    with pytest.raises(InvalidInput, match=f"{MAX_LABELS + 1} entries"):
        check_labels("tags", [*labels, "more"])


@pytest.mark.parametrize(
    "value",
    [None, True, 1, 1.5, "text", [], {"a": [1, {"b": None}]}, "\\u0000", "C:\\\\u0000", "\\"],
)
def test_json_comes_back_as_its_bytes(value: Any) -> None:
    """Any JSON value passes, a backslash before the letters u0000 among them."""
    assert value == orjson.loads(check_json("value", value))


@pytest.mark.parametrize(
    "value",
    [
        "\x00",
        "a\x00b",
        "\\\x00",
        "\\\\\x00",
        {"\x00": 1},
        {"k": ["\\u0000", "\x00"]},
        {1, 2},
        {1: "a key that is no string"},
        "\ud800",
        2**64,
        object(),
    ],
)
def test_what_json_or_jsonb_cannot_hold_is_refused(value: Any) -> None:
    """NUL at any depth, behind any backslashes, and values without a JSON form are refused."""
    with pytest.raises(InvalidInput, match="value"):
        check_json("value", value)


@given(st.text(alphabet="\\u0\x00a", max_size=12))
def test_only_a_real_nul_is_refused(text: str) -> None:
    """Whatever mixture of backslashes and letters: refused exactly when a NUL is in it."""
    if "\x00" in text:
        with pytest.raises(InvalidInput, match="NUL"):
            check_json("value", [text])
    else:
        assert orjson.loads(check_json("value", [text])) == [text]


def test_json_is_bounded_in_bytes() -> None:
    """The limit holds for the encoded bytes, quotes included."""
    assert len(check_json("value", "a" * (MAX_DETAILS_BYTES - 2))) == MAX_DETAILS_BYTES
    with pytest.raises(InvalidInput, match=f"{MAX_DETAILS_BYTES + 1} bytes"):
        check_json("value", "a" * (MAX_DETAILS_BYTES - 1))


@pytest.mark.parametrize("details", [[], "text", None, 7])
def test_details_are_an_object(details: Any) -> None:
    """Details that are no mapping are refused."""
    with pytest.raises(InvalidInput, match="details must be an object"):
        check_details(details)


@pytest.mark.parametrize("value", [True, "1", None, math.nan, math.inf, -0.1, 1.1])
def test_a_number_is_finite_and_in_range(value: Any) -> None:
    """What is no number, not finite or outside the range is refused."""
    with pytest.raises(InvalidInput, match="salience"):
        check_number("salience", value, low=0.0, high=1.0)


@pytest.mark.parametrize("value", [0, 0.0, 0.25, 1, 1.0])
def test_a_number_within_range_becomes_a_float(value: float) -> None:
    """The ends belong to the range."""
    checked = check_number("salience", value, low=0.0, high=1.0)

    assert (value, float) == (checked, type(checked))


def _self_holding() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize("make", [_self_holding, lambda: orjson.loads(b"[" * 300 + b"]" * 300)])
def test_endless_and_deep_json_is_refused(make: Callable[[], Any]) -> None:
    """A value that holds itself, or nests past the encoder's depth, is refused, not a crash."""
    with pytest.raises(InvalidInput, match="value"):
        check_json("value", make())
