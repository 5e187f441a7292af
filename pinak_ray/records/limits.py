"""What is accepted at every border, in one place: Python, HTTP, CLI and the twin agree."""

from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

from pinak_ray.records.encoded_json import MAX_DETAILS_BYTES, check_details, check_json
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.names import (
    MAX_LABELS,
    MAX_NAME_BYTES,
    check_item_key,
    check_labels,
    check_name,
    check_prefix,
)

__all__ = [
    "DEFAULT_BUDGET_TOKENS",
    "MAX_BUDGET_TOKENS",
    "MAX_CONTENT_BYTES",
    "MAX_DEPTH",
    "MAX_DETAILS_BYTES",
    "MAX_K",
    "MAX_LABELS",
    "MAX_NAME_BYTES",
    "MAX_READ",
    "MAX_SEQ",
    "MAX_TTL_S",
    "MAX_WAIT_S",
    "MIN_TTL_S",
    "brief",
    "check_depth",
    "check_details",
    "check_id",
    "check_item_key",
    "check_json",
    "check_labels",
    "check_name",
    "check_number",
    "check_prefix",
    "check_text",
    "check_ttl",
    "check_whole",
    "named",
]

E = TypeVar("E", bound=StrEnum)

# 64 KiB of text is some 12,000 words: more than an embedder or a reader of a hit can use, and far
# under PostgreSQL's 1 MB tsvector. Longer sources are split by the caller.
MAX_CONTENT_BYTES = 65_536
MAX_K = 200
# With three links a memory, four steps reach a hundred others; beyond that everything is related.
MAX_DEPTH = 4
MAX_READ = 1_000
# PostgreSQL's bigint holds twice as much; no owner changes that often.
MAX_SEQ = 2**62
# A watcher that died is forgotten after this long at the latest, and no proxy cuts what is shorter.
MAX_WAIT_S = 20.0
# Beyond a million tokens a caller has mixed up units: no model's prompt holds that much.
MAX_BUDGET_TOKENS = 1_000_000
DEFAULT_BUDGET_TOKENS = 1_000
# Ten years, in seconds: beyond it the caller means "for ever" or has mixed up units.
MAX_TTL_S = 315_360_000
# Clocks here count microseconds; what ends before its receipt arrives is a mistake.
MIN_TTL_S = 0.001

# What an error shows of a value that somebody sent.
_BRIEF = 80


def check_text(what: str, text: object, *, limit: int = MAX_CONTENT_BYTES) -> str:
    """Return `text` if PostgreSQL can hold it, or raise InvalidInput naming `what`."""
    if not isinstance(text, str):
        raise InvalidInput(f"{what} must be a string, not {type(text).__name__}")
    if not text or text.isspace():
        raise InvalidInput(f"{what} is empty; give at least one visible character")
    if "\x00" in text:
        raise InvalidInput(f"{what} holds a NUL character, which PostgreSQL cannot store")
    if len(text) * 4 > limit:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise InvalidInput(f"{what} holds a lone surrogate; send valid Unicode") from None
        if size > limit:
            raise InvalidInput(f"{what} has {size} bytes, the limit is {limit}; split it")
    elif not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidInput(f"{what} holds a lone surrogate; send valid Unicode") from None
    return text


def brief(value: object) -> str:
    """Return a value as an error quotes it: cut short, and itself no error."""
    try:
        shown = repr(value)
    except ValueError:  # an int of more digits than Python writes
        return "a number of thousands of digits"
    return shown if len(shown) <= _BRIEF else f"{shown[:_BRIEF]}..."


def check_number(what: str, value: object, *, low: float, high: float) -> float:
    """Return `value` as a float within [low, high], or raise InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{what} must be a finite number")
    if isinstance(value, float) and not isfinite(value):
        raise InvalidInput(f"{what} must be a finite number")
    # Ints of any size compare; as a float the largest would overflow.
    if not low <= value <= high:
        raise InvalidInput(f"{what} is {brief(value)}, it must lie between {low} and {high}")
    return float(value)


def check_whole(what: str, value: object, *, low: int, high: int) -> int:
    """Return a whole number within its bounds, or raise InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(
            f"{what} is {brief(value)}, it must be a whole number from {low} to {high}"
        )
    return value


def named(enum: type[E], what: str, value: object) -> E:
    """Return the member that has this value, or raise InvalidInput naming the choices."""
    # A dictionary is four times as fast as calling an Enum, and this is done for every write.
    members: dict[Any, Any] = enum._value2member_map_
    try:
        member: E = members[value]
    except (KeyError, TypeError):
        names = ", ".join(enum)
        raise InvalidInput(f"unknown {what} {brief(value)}; choose one of: {names}") from None
    return member


def check_depth(what: str, depth: object, *, low: int) -> int:
    """Return how many links a path may have, or raise InvalidInput."""
    return check_whole(what, depth, low=low, high=MAX_DEPTH)


def check_id(what: str, value: object) -> UUID:
    """Return the id that is given as a UUID or as its text, or raise InvalidInput."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput(f"{what} {brief(value)} is not an id") from None


def check_ttl(ttl_s: object) -> float | None:
    """Return a time to live in seconds, or None for ever; raises InvalidInput."""
    return None if ttl_s is None else check_number("ttl_s", ttl_s, low=MIN_TTL_S, high=MAX_TTL_S)
