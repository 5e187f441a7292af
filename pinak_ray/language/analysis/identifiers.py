"""Identifiers: whole, and in the parts that they are asked by."""

import re
from collections.abc import Iterator

__all__ = ["compounds", "joined", "parts", "prefixes"]

# getUserById, HTTPServer, URLs, db7.
_PART = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Where letters have other forms than these, only digits part them.
_FOREIGN_PART = re.compile(r"[0-9]+|[^0-9]+")
_PIECE = re.compile("[^_]+")
# mW, iOS, kWh: of so few letters none is a word.
_SHORT = 4
# A digest or a key in base64 has more borders, and none of its parts says anything.
_MOST_PARTS = 12
_MOST_NUMBERS = 2
_HEX = re.compile("[0-9a-f]{16,}")
# As many signs as tools print of a digest.
_PREFIXES = (7, 8, 12)

_JOINT = re.compile(r"(?<![0-9])[-_\u2010]|[-_\u2010](?![0-9])")
# Each is tried from the start of what it may match alone, and gives nothing back: a run of a_a_a or
# a-a-a is walked once.
_HYPHENED = re.compile(r"(?<![\w\u2010-])\w++(?:[-\u2010]\w++)++")
_DOTTED = re.compile(r"(?<![\w.+\u2010-])\w++(?:[-\u2010+]\w++)*+(?:\.\w++(?:[-\u2010+]\w++)*+)++")
_NUMBER = re.compile(r"(?<![0-9])[0-9]++(?:(?:[.,][0-9]++)++|(?::[0-9]{2}(?!\w))++)")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_LONG_FORM = re.compile(r"[/\\:@?=&]")
_MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def parts(run: str, *, short: int = _SHORT) -> list[str]:
    """Return the parts of a run of letters, digits and underscores; none where it is one itself.

    A word of at most `short` letters is one. Else what parts it stands beside the border: of a run
    that is cut at one, the parts are those that the whole has there.
    """
    found: list[str] = []
    for piece in _PIECE.findall(run):
        found += _parts(piece, short)
    if len(found) < 2:
        return []
    # The x of 0x1f and the v of v2 say nothing.
    return [part for part in found if len(part) > 1 or not part.isalpha()]


def _parts(piece: str, short: int) -> list[str]:
    if len(piece) <= short and piece.isalpha():
        return [piece]
    found = (_PART if piece.isascii() else _FOREIGN_PART).findall(piece)
    numbers = sum(part.isdigit() for part in found)
    return [piece] if len(found) > _MOST_PARTS or numbers > _MOST_NUMBERS else found


def prefixes(run: str) -> list[str]:
    """Return the short forms of a digest; of anything else none."""
    is_digest = _HEX.fullmatch(run) and not run.isdigit() and not run.isalpha()
    return [run[:length] for length in _PREFIXES] if is_digest else []


def joined(run: str) -> str:
    """Return it without hyphens and underscores: dry-run, dry_run and dryrun are one.

    Between two digits they stay: 2026-11 is not 202611.
    """
    return _JOINT.sub("", run) or run


def compounds(text: str) -> Iterator[str]:
    """Yield what of a text without blanks is asked for as a whole, beside its runs."""
    text = text.strip(_MARKS)
    for found in _HYPHENED.finditer(text):
        yield joined(found[0])
    for found in _DOTTED.finditer(text):
        yield found[0]
    for found in _NUMBER.finditer(text):
        yield found[0]
        if _THOUSANDS.fullmatch(found[0]):
            yield found[0].replace(",", "")
    if _LONG_FORM.search(text):
        yield text
