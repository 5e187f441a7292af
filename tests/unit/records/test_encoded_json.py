"""JSON at the border: what is taken can be answered, and comes back no larger than was measured."""

import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinak_ray.records.board.tasks import Finish
from pinak_ray.records.commands import checked_model
from pinak_ray.records.encoded_json import (
    MAX_DETAILS_BYTES,
    MAX_LEVELS,
    check_details,
    check_json,
)
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.ids import uuid7


def nested(levels: int, around: Any = 1) -> Any:
    """Return a value under this many lists and objects in turn."""
    for level in range(levels):
        around = [around] if level % 2 else {"a": around}
    return around


def written_out(number: float) -> str:
    """Return a number as PostgreSQL's numeric writes it: without an exponent."""
    return format(Decimal(repr(number)), "f")


@pytest.mark.parametrize("levels", [0, 1, MAX_LEVELS - 1, MAX_LEVELS])
def test_what_people_nest_passes(levels: int) -> None:
    """Up to the limit each level counts, lists as objects."""
    assert nested(levels) == orjson.loads(check_json("value", nested(levels)))


@pytest.mark.parametrize("levels", [MAX_LEVELS + 1, 100, 250, 254, 255, 5_000])
def test_deeper_is_refused_in_the_same_words(levels: int) -> None:
    """One level more is refused, whether an encoder could still write it or not."""
    with pytest.raises(InvalidInput, match=f"value is nested more than {MAX_LEVELS} levels"):
        check_json("value", nested(levels))
    with pytest.raises(InvalidInput, match="details is nested"):
        check_details({"a": nested(levels)})


def test_breadth_is_no_depth() -> None:
    """Many lists beside one another pass, and brackets in texts are none."""
    wide = {"rows": [[1], {"b": []}] * 500, "text": '[[[["{{{{' * 500, '"[\\': "]"}

    assert wide == orjson.loads(check_json("value", wide))


def test_a_field_of_a_command_names_itself() -> None:
    """The output of a task is held to the same depth, and the refusal names it."""
    with pytest.raises(InvalidInput, match=r"^output is nested more than"):
        checked_model(Finish, task=uuid7(), output=nested(MAX_LEVELS + 1))


@pytest.mark.parametrize("number", [1e308, -1.5e300, 5e-324, 1.7976931348623157e308, 1e-200])
def test_numbers_that_outgrow_the_limit_are_refused(number: float) -> None:
    """They count as PostgreSQL writes them: some hundred digits each."""
    fit = MAX_DETAILS_BYTES // (len(written_out(number)) + 2)

    check_json("value", [number] * fit)
    with pytest.raises(InvalidInput, match=r"value has \d+ bytes once its numbers are written out"):
        check_json("value", [number] * (fit + fit // 10 + 1))


def test_numbers_in_texts_are_texts() -> None:
    """A text full of exponents, as of hexadecimal digits, is as long as it is."""
    text = "1e308 9e999 \\" * 4_000

    assert [text] == orjson.loads(check_json("value", [text]))


def test_a_text_of_digits_is_read_once() -> None:
    """The longest text of digits, with an exponent behind it, is measured at once: no pattern
    tries each digit as a beginning."""
    text = "1" * (MAX_DETAILS_BYTES - 400) + "e9"

    assert text == orjson.loads(check_json("value", [text, 1e300]))[0]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_measured_as_it_is_written_out(number: float) -> None:
    """One more of any float than the limit holds of its digits is refused."""
    count = MAX_DETAILS_BYTES // len(written_out(number))
    try:
        check_json("value", [number] * (count + 1))
    except InvalidInput:
        pass
    else:
        raise AssertionError(f"{number} times {count + 1} passed")


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**64 - 1, 0.1, 5e-324, -0.0])
def test_numbers_that_pass_come_back(value: float) -> None:
    """What fits 64 bits, and every finite float, is what it was."""
    assert value == orjson.loads(check_json("value", value))


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**63) - 1, 10**400, pytest.param(10**5000, id="huge"), math.nan, -math.inf],
)
def test_numbers_that_would_change_are_refused(value: float) -> None:
    """Larger integers have no exact form on every wire, and what is not finite none at all."""
    with pytest.raises(InvalidInput, match="value"):
        check_json("value", {"deep": [value]})
