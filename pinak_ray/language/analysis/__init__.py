"""Analysis: what rows, windows, questions, nudges and grades take for the words of a text."""

from pinak_ray.language.analysis.analyser import ANALYSIS, phrase, query_terms, terms, words_of
from pinak_ray.language.analysis.folding import literal
from pinak_ray.language.analysis.phrases import Phrase
from pinak_ray.language.analysis.runs import MAX_TERM

__all__ = [
    "ANALYSIS",
    "MAX_TERM",
    "Phrase",
    "literal",
    "phrase",
    "query_terms",
    "terms",
    "words_of",
]
