"""Symbols that are the point: C++, -rf, $PATH, #42, =>, emoji."""

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["symbols"]

_NAME = re.compile(r"(?<!\w)[A-Za-z]{1,12}(?:\+\+|#(?!\w))")
# -rf, --full, .env, $PATH, @ada, #42.
_LED = re.compile(r"(?<![^\s(\[{\"'`=,;:|<>])(?:(?:--?|[.@#])\w|\$[A-Za-z_])[\w-]{0,63}")
_PERCENT = re.compile(r"[0-9]+%")
# Of marks alone; a rule, an ellipsis or a row of one mark says nothing.
_OPERATOR = re.compile(r"(?!([-.!?*_~#,;'\"])\1*$)[!-/:-@\[-`{-~]{2,3}")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_DRAWN = re.compile(r"[^\w\s\x00-\x9f\u0300-\u036f\U0001f3fb-\U0001f3ff]")


def symbols(text: str) -> Iterator[str]:
    """Yield the symbols of a folded text without blanks."""
    for pattern in (_NAME, _LED, _PERCENT):
        for found in pattern.finditer(text):
            yield found[0]
    if _OPERATOR.fullmatch(text):
        yield text
    if text.isascii():
        return
    yield from _FLAG.findall(text)
    for sign in _DRAWN.findall(_FLAG.sub("", text)):
        if unicodedata.category(sign) in ("So", "Sc", "Sm"):
            yield sign
