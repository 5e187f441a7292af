"""Terms: the words of a text with their rarity, and how many of them something else has."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeAlias

__all__ = ["MAX_TERMS", "Term", "Terms", "cover", "lacking"]

# The rarest ones; an answer of 8 KiB has some 600 different words.
MAX_TERMS = 1_000


class Term(NamedTuple):
    """A word as the text has it, in lower case, and its rarity in the namespace (IDF, > 0)."""

    word: str
    idf: float


Terms: TypeAlias = Mapping[str, Term]
"""By lexeme: what stop words leave, stemmed."""


def cover(terms: Terms, had: Collection[str]) -> float:
    """Return the share of the terms that is among the lexemes `had`, in [0, 1].

    Each weighs as much as it is rare; of no terms nothing is covered.
    """
    whole = sum(term.idf for term in terms.values())
    return sum(terms[lexeme].idf for lexeme in terms if lexeme in had) / whole if whole else 0.0


def lacking(terms: Terms, had: Collection[str]) -> tuple[str, ...]:
    """Return the words that are not among the lexemes `had`, rarest first."""
    left = [term for lexeme, term in terms.items() if lexeme not in had]
    return tuple(term.word for term in sorted(left, key=lambda term: (-term.idf, term.word)))
