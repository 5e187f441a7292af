"""What is accepted at every border, in one place: Python, HTTP, CLI and the twin agree."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from pinak_ray.records.errors import InvalidInput

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
    "MAX_TTL_S",
    "MAX_WAIT_S",
    "check_depth",
    "check_id",
    "check_json",
    "check_labels",
    "check_name",
    "check_number",
    "check_text",
    "check_ttl",
]

# 64 KiB of text is some 12,000 words: more than an embedder or a reader of a hit can use, and far
# under PostgreSQL's 1 MB tsvector. Longer sources are split by the caller.
MAX_CONTENT_BYTES = 65_536
MAX_DETAILS_BYTES = 65_536
# Names lead every primary key; a btree entry must stay under 2,704 bytes.
MAX_NAME_BYTES = 256
MAX_LABELS = 64
MAX_K = 200
# With three links a memory, four steps reach a hundred others; beyond that everything is related.
MAX_DEPTH = 4
MAX_READ = 1_000
# A watcher that died is forgotten after this long at the latest, and no proxy cuts what is shorter.
MAX_WAIT_S = 20.0
# Beyond a million tokens a caller has mixed up units: no model's prompt holds that much.
MAX_BUDGET_TOKENS = 1_000_000
DEFAULT_BUDGET_TOKENS = 1_000
# Ten years, in seconds: beyond it the caller means "for ever" or has mixed up units.
MAX_TTL_S = 315_360_000

# Asking for the exact type first is ten times as fast as for a Mapping.
_WITHOUT_NAN = frozenset((str, int, bool, type(None)))

# An escaped NUL: `\u0000` behind an even number of backslashes, which are themselves escapes.
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


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


def check_name(what: str, name: object) -> str:
    """Return `name` if it can be a key: short, visible, without a NUL."""
    return check_text(what, name, limit=MAX_NAME_BYTES)


def check_labels(what: str, labels: object) -> tuple[str, ...]:
    """Return the labels (tags, entities) without repeats, in the caller's order."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise InvalidInput(f"{what} must be a list of strings")
    unique = tuple(dict.fromkeys(check_name(f"an entry of {what}", label) for label in labels))
    if len(unique) > MAX_LABELS:
        raise InvalidInput(f"{what} has {len(unique)} entries, the limit is {MAX_LABELS}")
    return unique


def check_json(what: str, value: Any, *, limit: int = MAX_DETAILS_BYTES) -> bytes:
    """Return `value` as JSON bytes, or raise InvalidInput for what JSON or jsonb cannot hold."""
    try:
        encoded = orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError, UnicodeEncodeError) as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from None
    if len(encoded) > limit:
        raise InvalidInput(f"{what} has {len(encoded)} bytes of JSON, the limit is {limit}")
    if b"null" in encoded and _has_nan(value):
        raise InvalidInput(f"{what} holds NaN or Infinity, which JSON has no word for")
    if b"\\u0000" in encoded and _ESCAPED_NUL.search(encoded):
        raise InvalidInput(f"{what} holds a NUL character, which PostgreSQL cannot store")
    return encoded


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


def check_details(details: object) -> bytes:
    """Return a memory's details as JSON bytes; they must be an object."""
    if not isinstance(details, Mapping):
        raise InvalidInput("details must be an object of names and values")
    return check_json("details", dict(details))


def check_number(what: str, value: object, *, low: float, high: float) -> float:
    """Return `value` as a float within [low, high], or raise InvalidInput."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidInput(f"{what} must be a finite number")
    if not low <= value <= high:
        raise InvalidInput(f"{what} is {value}, it must lie between {low} and {high}")
    return float(value)


def check_depth(what: str, depth: object, *, low: int) -> int:
    """Return how many links a path may have, or raise InvalidInput."""
    if isinstance(depth, bool) or not isinstance(depth, int) or not low <= depth <= MAX_DEPTH:
        raise InvalidInput(
            f"{what} is {depth!r}, it must be a whole number from {low} to {MAX_DEPTH}"
        )
    return depth


def check_id(what: str, value: object) -> UUID:
    """Return the id that is given as a UUID or as its text, or raise InvalidInput."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput(f"{what} {value!r} is not an id") from None


def check_ttl(ttl_s: object) -> float | None:
    """Return a time to live in seconds, or None for ever; raises InvalidInput."""
    return None if ttl_s is None else check_number("ttl_s", ttl_s, low=0.001, high=MAX_TTL_S)
