"""Likeness by the words and signs themselves, where a vector says nothing.

A model gives all that it does not know one vector: two texts of such words have the cosine of two
equal ones. Then what they literally share counts instead.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias
from unicodedata import category, normalize

__all__ = ["Knows", "likeness", "similarity"]

Knows: TypeAlias = Callable[[str], bool]
"""Tells of a text whether a model knows enough of its words for its vector to mean something."""

_READ = 1_000  # characters of a text; an action, or what failed, is said by then
# Scripts that put no blanks between words: two signs in a row stand for a word there.
_UNPARTED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def similarity(cosine: float, one: str, other: str, knows: Knows) -> float:
    """Return how similar two texts are: their cosine, if the model knows the words of both."""
    return cosine if knows(one) and knows(other) else likeness(one, other)


def likeness(one: str, other: str) -> float:
    """Return the cosine of two texts' words and signs, in [0, 1]: 0 where they share none."""
    ours, theirs = _signs(one[:_READ]), _signs(other[:_READ])
    if not ours or not theirs:
        return 0.0
    return len(ours & theirs) / math.sqrt(len(ours) * len(theirs))


@lru_cache(maxsize=256)
def _signs(text: str) -> frozenset[str]:
    said = "".join(map(_parted, normalize("NFC", text).lower()))
    return frozenset(sign for word in said.split() for sign in _parts(word))


def _parts(word: str) -> list[str]:
    runs = _UNPARTED.findall(word)
    rest = _UNPARTED.sub(" ", word).split() if runs else [word]
    pairs = [run[at : at + 2] for run in runs for at in range(max(len(run) - 1, 1))]
    return rest + pairs


@lru_cache(maxsize=4096)
def _parted(character: str) -> str:
    """Return a letter as it is, a symbol as a word of its own, and nothing of all else."""
    match category(character)[0]:
        case "L" | "N" | "M":
            return "" if "\ufe00" <= character <= "\ufe0f" else character  # how an emoji is drawn
        case "S":
            return f" {character} "
    return " "
