"""The analyser: the terms of a text, the same for what is stored and for what is asked."""

from functools import lru_cache
from itertools import chain

from pinak_ray.language.analysis.phrases import Phrase, phrase_of
from pinak_ray.language.analysis.pieces import Pieces
from pinak_ray.language.analysis.runs import RunTerms
from pinak_ray.language.analysis.stemming import Stemming

__all__ = ["Analyser", "analyser", "phrase", "query_terms", "terms"]


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


def phrase(text: str, languages: tuple[str, ...] = ()) -> Phrase:
    """Return the literal that `exact` looks for, and the terms that narrow the search."""
    return analyser(languages).phrase(text)
