"""When are two names the same? Folded alike: yes; spelled nearly alike: as far as is safe."""

import re
import unicodedata

__all__ = ["folded", "nearly_same"]

# A wrong merge is worse than a missed one, which an alias repairs. Measured on pairs by hand:
# "orders service" has .81 of "order service", "redis-clusters" .81 of "redis cluster"; of other
# things "author service" has .75 of "auth service", "border service" .71 of "order service".
_SAME = 0.78
# In long names one word is little: "order replica east" and "... west". Each word for itself: .11.
_SAME_WORD = 0.4

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


def folded(name: str) -> str:
    """Return a name as it is compared: case, width and spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def nearly_same(one: str, other: str) -> bool:
    """Tell whether two folded names are probably spellings of one; numbers must be equal."""
    if sorted(_DIGITS.findall(one)) != sorted(_DIGITS.findall(other)):
        return False
    if _similarity(_WORD.findall(one), _WORD.findall(other)) < _SAME:
        return False
    mine, theirs = set(_WORD.findall(one)), set(_WORD.findall(other))
    return all(
        max((_similarity([word], [each]) for each in words), default=0.0) >= _SAME_WORD
        for lacking, words in ((mine - theirs, theirs), (theirs - mine, mine))
        for word in lacking
    )


def _similarity(one: list[str], other: list[str]) -> float:
    """Return the trigrams in common over all, as PostgreSQL's pg_trgm counts them."""
    mine, theirs = _trigrams(one), _trigrams(other)
    return len(mine & theirs) / len(mine | theirs) if mine or theirs else 0.0


def _trigrams(words: list[str]) -> set[str]:
    return {f"  {word} "[at : at + 3] for word in words for at in range(len(word) + 1)}
