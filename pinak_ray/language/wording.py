"""When two texts say the same, and how much alike two are."""

import re

__all__ = ["alike", "normalised"]

_WORD = re.compile(r"\w+")


def normalised(text: str) -> str:
    """Return a text without the case and the spaces in which the same content may differ."""
    return " ".join(text.casefold().split())


def alike(one: str, other: str) -> float:
    """Return which share of the words of two texts is in both (Jaccard), 0 to 1."""
    ours, theirs = (frozenset(_WORD.findall(text.casefold())) for text in (one, other))
    return len(ours & theirs) / len(ours | theirs) if ours and theirs else 0.0
