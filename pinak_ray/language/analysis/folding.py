"""Folding: one form of a text, whatever its width, its composition and its invisible signs."""

import re
import unicodedata

__all__ = ["folded", "literal", "lowered", "plain"]

# What is not drawn, or only turns the direction or the form of its neighbours.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Compatibility forms whose plain form says something else: 10² is not 102, Foo™ not FooTM.
_POWER = re.compile(r"(?<=[0-9])(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089])")
_MARK = re.compile("[\u2120\u2122]")
# The zeros of the scripts whose digits stand for 0 to 9 in a row.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
)  # fmt: skip
_DIGITS = {zero + digit: str(digit) for zero in _ZEROS for digit in range(10)}
# Letters that Unicode does not take apart, though who has no such key writes the plain one.
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ё": "е", "ـ": ""}
)
_MARKS = re.compile("[\u0300-\u036f]+")
_ARABIC_AND_HEBREW_MARKS = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
_BLANKS = re.compile(r"\s+")


def folded(text: str) -> str:
    """Return a text with one width, composed, its digits 0 to 9, without invisible signs."""
    if text.isascii():
        return text if text.isprintable() else _CONTROLS.sub(" ", text)
    text = _POWER.sub("^", _MARK.sub(" ", _INVISIBLE.sub("", _CONTROLS.sub(" ", text))))
    return unicodedata.normalize("NFKC", text).translate(_DIGITS)


def lowered(text: str) -> str:
    """Return a folded text without its case; also that of a Turkish i."""
    return text.lower() if text.isascii() else text.casefold().replace("i\u0307", "i")


def plain(word: str) -> str:
    """Return a lower-case word without the marks that its writers often leave out."""
    if word.isascii():
        return word
    word = _ARABIC_AND_HEBREW_MARKS.sub("", word).translate(_LETTERS)
    apart = unicodedata.normalize("NFD", word)
    bare = _MARKS.sub("", apart)
    # Й is a letter of its own, and so is its like: only the marks of Latin and Greek are left out.
    return bare if bare[:1] < "\u0400" else unicodedata.normalize("NFC", apart)


def literal(text: str) -> str:
    """Return a text as `exact` compares it: folded, without case, any white space one blank."""
    return _BLANKS.sub(" ", lowered(folded(text))).strip()
