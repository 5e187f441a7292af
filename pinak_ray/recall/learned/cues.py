"""Cues: what a question asks for, and what of it a text has at first sight.

Words are English where letters alone do not tell; of another language they find nothing, and what
finds nothing changes no order.
"""

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Cues", "Wanted", "cues_of", "wanted_by"]

# So far a text is looked at: a reply of a page costs what a message costs.
_LOOKED_AT = 600

_WHEN = re.compile(
    r"^\W*(?:when|since when|how long ago|what (?:date|day|year|month|time))\b"
    r"|\bwhat (?:date|day|year|month)\b|\bdeadline\b|\bdue\b|什么时候|何时|いつ|когда|cuándo|quand",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\bhow (?:many|much|long|often|old|far|large|big|high|fast)\b"
    r"|\bwhat (?:percentage|share|amount|number|price|cost|rate)\b"
    r"|多少|几个|いくつ|いくら|сколько|cuánt|combien|wie ?viele?",
    re.IGNORECASE,
)
_WHO = re.compile(r"\b(?:who|whom|whose|where)\b|谁|誰|だれ|\bкто\b|\bquién\b", re.IGNORECASE)

_TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|recently"
    r"|(?:last|next|this|past|every|few|the other) (?:day|night|week|weekend|month|year|summer"
    r"|spring|fall|autumn|winter|morning|evening|\w+day)s?"
    r"|weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|june|july|august|september|october|november|december"
    r"|(?:19|20)\d\d)\b|\d[年月日]|昨日|昨天|вчера|ayer|gestern|hier soir",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|once|twice)\b",
    re.IGNORECASE,
)
# Not at the start of a sentence, where a capital says nothing, and no "I".
_NAME = re.compile(r"(?<=[a-z0-9,;:'’\"(] )[\"'(]?[A-Z][a-z]+")


class Wanted(NamedTuple):
    """What a question asks for: a time, a number, a person or a place."""

    time: bool
    number: bool
    name: bool


class Cues(NamedTuple):
    """What a text has: words (by its blanks), capitalised ones, and whether time and number."""

    words: int
    names: int
    time: bool
    number: bool


def wanted_by(query: str) -> Wanted:
    """Return what a question asks for; all may hold, or none."""
    return Wanted(*(bool(each.search(query)) for each in (_WHEN, _COUNT, _WHO)))


@lru_cache(maxsize=8192)
def _seen(text: str) -> tuple[int, bool, bool]:
    return len(_NAME.findall(text)), bool(_TIME.search(text)), bool(_NUMBER.search(text))


def cues_of(text: str) -> Cues:
    """Return a text's cues; its first characters alone are looked at, and all are counted."""
    return Cues(text.count(" ") + 1, *_seen(text[:_LOOKED_AT]))
