"""Words of a sentence, stemmed, without those that say nothing of what it is about."""

import re
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

__all__ = ["sentences", "stems"]

_MAX_SENTENCES = 16
_MAX_CHARS = 2_000
# A run is only tried from its start: from each of its signs, a text of one run took seconds.
_WORD = re.compile(r"[a-z]+[0-9]*|(?<![0-9])[0-9]++[a-z]+")
_END = re.compile(r"(?<![.!?;])[.!?;]++(?:\s+|$)|\n+")
_FUNCTION_WORDS = frozenset({
    "a", "about", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "being", "by",
    "currently", "default", "for", "from", "has", "have", "here", "in", "into", "is", "it", "its",
    "itself", "just", "lets", "me", "my", "now", "of", "on", "onto", "or", "our", "ours", "please",
    "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "to", "too", "up", "us", "very", "via", "we", "which", "who", "will", "with",
    "you", "your",
})  # fmt: skip
_IRREGULAR = {"kept": "keep", "written": "write", "ran": "run", "sent": "send", "built": "build"}
_stemmer = snowballstemmer.stemmer("english")


def sentences(text: str) -> Iterator[str]:
    """Yield the first sentences of a text, in lower case; a file's name or a version is not cut."""
    parts = _END.split(text[:_MAX_CHARS].lower().replace("’", "'"))
    yield from [part.strip() for part in parts if part.strip()][:_MAX_SENTENCES]


def stems(text: str) -> frozenset[str]:
    """Return the stems of a lower-case text's content words."""
    return frozenset(_stem(word) for word in _WORD.findall(text) if word not in _FUNCTION_WORDS)


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(_IRREGULAR.get(word, word))
    return stem
