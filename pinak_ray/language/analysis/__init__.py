"""Analysis: what rows, windows, questions, nudges and grades take for the words of a text."""

from pinak_ray.language.analysis.analyser import phrase, query_terms, terms
from pinak_ray.language.analysis.phrases import Phrase
from pinak_ray.language.analysis.runs import MAX_TERM

__all__ = ["MAX_TERM", "Phrase", "phrase", "query_terms", "terms"]
