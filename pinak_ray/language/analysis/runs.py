"""The terms of one run: of a word or identifier, of signs without blanks, of Hangul."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pinak_ray.language.analysis.folding import lowered, plain
from pinak_ray.language.analysis.identifiers import joined, parts, prefixes
from pinak_ray.language.analysis.scripts import HANGUL, SIGNS, WORD
from pinak_ray.language.analysis.stemming import Stemming

__all__ = ["MAX_TERM", "RUN", "RunTerms", "hangul_terms", "pairs", "sign_terms"]

MAX_TERM: Final = 255
"""Characters of a term: longer ones are cut, and equal where they begin alike."""

RUN = re.compile(
    rf"(?P<signs>[{SIGNS}]+)|(?P<hangul>[{HANGUL}]+)|(?P<word>(?:(?![{SIGNS}{HANGUL}])[{WORD}])+)"
)
_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTERS = re.compile(rf"(?:(?![0-9_])[{WORD}])+")
# Where case can be the point: mW and MW, IT and it, Go and go.
_CASED = re.compile("(?=.?[A-Z])[A-Za-z]{2,4}")
_TITLE = re.compile("[A-Z][a-z]{2,3}")
# Vietnamese: many of its words differ in their tones alone, which are left out as often.
_TONED = re.compile("[ăđơưạ-ỹ]")


class RunTerms:
    """Makes terms of words and identifiers; of these stop words none."""

    __slots__ = ("_stemming", "_stop_words")

    def __init__(self, stemming: Stemming, stop_words: frozenset[str]) -> None:
        self._stemming = stemming
        self._stop_words = stop_words

    def run(self, run: str) -> Iterator[str]:
        """Yield the terms of a run of letters, digits and underscores: whole, then its parts."""
        found = parts(run)
        if not found:
            yield from self.word(run)
            return
        yield self.whole(joined(run))
        yield from prefixes(lowered(run[:MAX_TERM]))
        for part in found:
            yield from self.word(part, cased=found[0].isdigit())

    def word(self, word: str, *, cased: bool = True) -> Iterator[str]:
        """Yield a word's term, and beside it the word itself where its form can be the point."""
        lower = lowered(word[:MAX_TERM])
        is_stop_word = plain(lower) in self._stop_words
        if not is_stop_word:
            yield self.whole(joined(word))
            yield from prefixes(lower)
        if cased and _CASED.fullmatch(word) and not _TITLE.fullmatch(word):
            if not (is_stop_word and word.istitle()):
                yield word
        elif _TONED.search(lower) and not is_stop_word:
            yield lower[:MAX_TERM]

    def alternatives(self, run: str) -> list[tuple[str, ...]]:
        """Return the sets of terms of which a text that holds the run has one whole; none: unknown.

        The run may stand there alone, or be a part of a longer one.
        """
        whole = self._kept(run)
        if whole is None:
            return []
        found: list[tuple[str, ...]] = [(whole,)]
        for cut in (parts(run), parts(run, short=0)):
            if kept := tuple(dict.fromkeys(filter(None, map(self._kept, cut)))):
                found.append(kept)
            elif cut:
                return []  # of stop words alone, which no text has among its terms
        return list(dict.fromkeys(found))

    def words(self, kind: str, run: str) -> Iterator[tuple[str, str]]:
        """Yield the words of a run with their terms; stop words have none."""
        if kind != "word":
            yield from ((each, each) for each in (pairs(run) if len(run) > 1 else [run]))
            return
        for word in parts(run) or [run]:
            if term := self._kept(word):
                yield term, lowered(word[:MAX_TERM])

    def _kept(self, word: str) -> str | None:
        is_stop_word = plain(lowered(word[:MAX_TERM])) in self._stop_words
        return None if is_stop_word else self.whole(joined(word))

    def whole(self, text: str) -> str:
        """Return the one term of a word or a compound."""
        lower = lowered(text[:MAX_TERM])[:MAX_TERM]
        return self._stemming.stem(lower) if _LETTERS.fullmatch(lower) else plain(lower)


def pairs(run: str) -> Iterator[str]:
    """Yield each two signs that stand together."""
    return map("".join, pairwise(run))


def sign_terms(run: str) -> Iterator[str]:
    """Yield the pairs of a run of signs, and those that are words alone; of one sign that one."""
    if len(run) == 1:
        yield run
        return
    yield from pairs(run)
    yield from _HAN.findall(run)


def hangul_terms(run: str) -> Iterator[str]:
    """Yield a word, its pairs and its first sign: particles stand behind a word without a blank."""
    yield run[0]
    if len(run) > 1:
        yield from pairs(run)
    if len(run) > 2:
        yield run[:MAX_TERM]
