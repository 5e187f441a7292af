"""Terms as PostgreSQL holds them: tsvectors in binary form, and tsqueries.

Layout: `tsvectorrecv` in tsvector.c. A term that occurs once has no position, and counts as one
that has one; of another one the number of positions is how often it occurs, and nothing else.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from pinak_ray.language.analysis import Phrase, terms
from pinak_ray.language.indexed_texts import index_text

__all__ = ["encode_lexemes", "lexemes_of", "phrase_query", "saying_query"]

_COUNT = struct.Struct("!i")
# PostgreSQL keeps no more of one lexeme.
_MOST_POSITIONS = 255
# Half of what a tsvector may hold, which no text of 64 KiB comes near to.
_MOST_BYTES = 1 << 19
# Some 2 MB.
_MOST_KNOWN = 16_384
# Of a content that is looked for as a whole: so many of its words together are rare enough.
_MOST_WORDS = 8


def lexemes_of(agent: str, session: str | None, content: str) -> bytes:
    """Return the `lexemes` of a memory, in binary form."""
    return encode_lexemes(terms(index_text(agent, session, content)))


def encode_lexemes(found: Sequence[str]) -> bytes:
    """Return terms as a tsvector in binary form."""
    different = set(found)
    if len(different) == len(found):
        parts = [_ONCE[term] for term in different]
    else:
        parts = [
            _ONCE[term] if times == 1 else _often(term, times)
            for term, times in Counter(found).items()
        ]
    body = b"".join(parts)
    if len(body) > _MOST_BYTES:
        parts = _within(parts)
        body = b"".join(parts)
    return _COUNT.pack(len(parts)) + body


class _Once(dict[str, bytes]):
    """Terms that occur once, encoded: every writer pays this for each word of its memories."""

    def __missing__(self, term: str) -> bytes:
        encoded = term.encode() + b"\0\0\0"
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[term] = encoded
        return encoded


_ONCE = _Once()


def _often(term: str, times: int) -> bytes:
    count = min(times, _MOST_POSITIONS)
    return term.encode() + b"\0" + struct.pack(f"!H{count}H", count, *range(1, count + 1))


def _within(parts: Sequence[bytes]) -> list[bytes]:
    sizes = accumulate(map(len, parts))
    return [part for part, size in zip(parts, sizes, strict=True) if size <= _MOST_BYTES]


def phrase_query(phrase: Phrase) -> str | None:
    """Return what narrows the search for a phrase, as a tsquery's text; None: nothing does."""
    choices = [
        " | ".join("(" + " & ".join(map(_quoted, each)) + ")" for each in choice)
        for choice in phrase.choices
    ]
    return " & ".join(f"({choice})" for choice in choices) or None


def saying_query(content: str) -> str | None:
    """Return a tsquery's text that what says exactly this matches; None for one without words."""
    longest = sorted(set(terms(content)), key=lambda term: (-len(term), term))[:_MOST_WORDS]
    return " & ".join(map(_quoted, longest)) or None


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"
