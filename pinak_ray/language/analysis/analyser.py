"""The analyser: the terms of a text, the same for what is stored and for what is asked."""

from functools import lru_cache
from itertools import chain
from typing import Final

from pinak_ray.language.analysis.folding import folded
from pinak_ray.language.analysis.phrases import Phrase, phrase_of
from pinak_ray.language.analysis.pieces import Pieces
from pinak_ray.language.analysis.runs import RUN, RunTerms
from pinak_ray.language.analysis.stemming import Stemming

__all__ = ["ANALYSIS", "Analyser", "analyser", "phrase", "query_terms", "terms", "words_of"]

ANALYSIS: Final = 1
"""What makes other terms of a text has another number: what was stored under a lower one is
analysed anew (a migration brings the index that finds it)."""


class Analyser:
    """Makes terms of texts, in time that grows with their length alone.

    A term is a word without its case and its ending, a part of an identifier or the whole, a pair
    of signs where no blanks part words, or a symbol. What depends on nothing beyond the next blank
    is remembered: most texts are made of pieces that were seen before.
    """

    __slots__ = ("_all", "_pieces", "_runs")

    def __init__(self, languages: tuple[str, ...] = ()) -> None:
        stemming = Stemming(languages)
        self._runs = RunTerms(stemming, stemming.stop_words)
        self._pieces = Pieces(self._runs)
        self._all = Pieces(RunTerms(stemming, frozenset()))

    def terms(self, text: str) -> list[str]:
        """Return all occurrences of terms in order; stop words only where nothing else is."""
        pieces = text.split()
        found = list(chain.from_iterable(map(self._pieces.__getitem__, pieces)))
        if found or not pieces:
            return found
        return list(chain.from_iterable(map(self._all.__getitem__, pieces)))

    def words(self, text: str) -> dict[str, str]:
        """Return each word of a text by its term, as it stands there first, in lower case.

        Of an identifier its parts are words, and not the whole.
        """
        found: dict[str, str] = {}
        for run in RUN.finditer(folded(text)):
            for term, word in self._runs.words(str(run.lastgroup), run[0]):
                found.setdefault(term, word)
        return found

    def phrase(self, text: str) -> Phrase:
        """Return what `exact` looks for."""
        return phrase_of(text, self._runs)


@lru_cache(maxsize=32)
def analyser(languages: tuple[str, ...] = ()) -> Analyser:
    """Return the analyser of a set of languages (codes of ISO 639-1), each with what it remembers.

    The words of languages that are not named are told by their letters.
    """
    return Analyser(languages)


def terms(text: str, languages: tuple[str, ...] = ()) -> list[str]:
    """Return the terms of a text that is stored, in order, as often as each occurs."""
    return analyser(languages).terms(text)


def query_terms(text: str, languages: tuple[str, ...] = ()) -> list[str]:
    """Return the terms of a text that is asked for, in order, as often as each occurs."""
    return analyser(languages).terms(text)


def words_of(text: str, languages: tuple[str, ...] = ()) -> dict[str, str]:
    """Return each word of a text by its term, as it stands there first, in lower case."""
    return analyser(languages).words(text)


def phrase(text: str, languages: tuple[str, ...] = ()) -> Phrase:
    """Return the literal that `exact` looks for, and the terms that narrow the search."""
    return analyser(languages).phrase(text)
