"""What the stack makes of a text: how often each term occurs."""

from collections import Counter

from pinak_ray.language.analysis import terms

__all__ = ["lexemes"]


def lexemes(text: str) -> Counter[str]:
    """Return how often each term occurs in the text."""
    return Counter(terms(text))
