"""JSON that callers attach: what PostgreSQL's jsonb gives back as it came, and no more of it."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pinak_ray.records.errors import InvalidInput

__all__ = ["MAX_DETAILS_BYTES", "MAX_LEVELS", "check_details", "check_json"]

MAX_DETAILS_BYTES = 65_536
# Far more than people nest by hand. An encoder ends at 254 levels, and an answer adds some of its
# own around what was stored: what is taken at the border must fit into every answer.
MAX_LEVELS = 64
# jsonb writes 1e308 with all its 309 digits, and so it comes back. Five bytes and the comma are the
# shortest that grow so: what is shorter than this cannot outgrow the limit, whatever it holds.
_MAY_OUTGROW_BYTES = MAX_DETAILS_BYTES // 52

# Asking for the exact type first is ten times as fast as for a Mapping.
_WITHOUT_NAN = frozenset((str, int, bool, type(None)))

# An escaped NUL: `\u0000` behind an even number of backslashes, which are themselves escapes.
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_POWER = re.compile(rb"(\d+)(?:\.(\d+))?e([+-]?\d+)")
# Where texts hold none, as nearly all do, this is a fourth of the time of the next one.
_MAYBE_A_POWER = re.compile(rb"e[+0-9-]")
# For a text of digits alone the whole pattern would try each of them as a beginning.
_LIKE_A_POWER = re.compile(rb"[0-9]e[+-]?[0-9]")
_OPENING = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_json(what: str, value: Any, *, limit: int = MAX_DETAILS_BYTES) -> bytes:
    """Return `value` as JSON bytes, or raise InvalidInput for what JSON or jsonb cannot hold."""
    try:
        encoded = orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError, UnicodeEncodeError) as error:
        if "ecursion" in str(error):
            raise _too_deep(what) from None
        raise InvalidInput(f"{what} is not JSON: {error}") from None
    if len(encoded) > limit:
        raise InvalidInput(f"{what} has {len(encoded)} bytes of JSON, the limit is {limit}")
    if b"null" in encoded and _has_nan(value):
        raise InvalidInput(f"{what} holds NaN or Infinity, which JSON has no word for")
    if b"\\u0000" in encoded and _ESCAPED_NUL.search(encoded):
        raise InvalidInput(f"{what} holds a NUL character, which PostgreSQL cannot store")
    # Two bytes a level, and most details have fewer.
    if len(encoded) > 2 * MAX_LEVELS:
        if encoded.count(b"[") + encoded.count(b"{") > MAX_LEVELS and _is_deep(encoded):
            raise _too_deep(what)
        if len(encoded) > _MAY_OUTGROW_BYTES and _MAYBE_A_POWER.search(encoded):
            _check_growth(what, encoded, limit)
    return encoded


def check_details(details: object) -> bytes:
    """Return a memory's details as JSON bytes; they must be an object."""
    if not isinstance(details, Mapping):
        raise InvalidInput("details must be an object of names and values")
    return check_json("details", dict(details))


def _too_deep(what: str) -> InvalidInput:
    return InvalidInput(f"{what} is nested more than {MAX_LEVELS} levels deep; flatten it")


def _is_deep(encoded: bytes) -> bool:
    """Tell whether lists and objects nest too deep: each turn takes the innermost ones away."""
    nested = _STRING.sub(b"", encoded).translate(_OPENING, _NO_BRACKETS)
    for _ in range(MAX_LEVELS):
        nested = nested.replace(b"[]", b"")
    return bool(nested)


def _check_growth(what: str, encoded: bytes, limit: int) -> None:
    """Refuse what outgrows the limit once its powers of ten are written out."""
    if not _LIKE_A_POWER.search(encoded):
        return
    grown = len(encoded)
    for power in _POWER.finditer(_STRING.sub(b"", encoded)):
        behind, exponent = len(power[2] or b""), int(power[3])
        zeros = max(exponent, behind + 1) if exponent > 0 else 1 - exponent + behind
        grown += len(power[1]) + zeros - len(power[0])
    if grown > limit:
        raise InvalidInput(
            f"{what} has {grown} bytes once its numbers are written out (1e308 has 309 digits), "
            f"the limit is {limit}; send such numbers as texts"
        )


def _has_nan(value: Any) -> bool:
    """Tell what orjson writes as null without a word: a number that is not finite."""
    items: Iterable[Any]
    if type(value) is dict:
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    elif isinstance(value, Mapping):
        items = value.values()
    else:
        return isinstance(value, float) and not math.isfinite(value)
    # A loop: a generator here takes as long as all else of a note's checks.
    for item in items:  # noqa: SIM110
        if type(item) not in _WITHOUT_NAN and _has_nan(item):
            return True
    return False
